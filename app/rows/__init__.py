"""The bytes path: rows of SQLite to CSV without the ORM, one batch in memory at a time."""
