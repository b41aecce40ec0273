"""The Data API (`HEROKU_DATA_HOST`): what the official CLI's pg and redis commands ask beside the Platform API."""
