"""Frameworks' requests, jobs, tasks and tests as runs of scopes: one file for each framework."""
