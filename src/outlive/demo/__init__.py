"""The worked example as a show: examples/leaky_export in child processes, and what its figures mean."""
