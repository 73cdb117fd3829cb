"""Recordings read, found, added up and compared; nothing of the recorded process is touched."""
