"""The worked example: an export job that loads everything at once, one that streams, and three leaks.

Run it with ``python -m examples.leaky_export --help``, or whole with ``outlive demo``.
"""
