"""The HTTP doors, one router a file.

Handlers that touch the database are plain functions: FastAPI runs those in threads, off the event loop.
"""
