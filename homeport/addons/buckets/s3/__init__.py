"""A small, strict S3 server: objects as files, an index in SQLite, spoken to over one socket.

It runs as a process of its own (`python -m uvicorn s3.application:make`), knows nothing of add-ons, and imports nothing
of the house, so that it is small; hence the relative imports. The provider beside it writes buckets and keys into the
same index.
"""
