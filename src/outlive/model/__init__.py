"""Figures as frozen data: no I/O, no Python objects of the profiled program."""
