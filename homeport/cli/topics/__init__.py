"""One module per topic. The command table names them; only the one that is asked for is imported."""
