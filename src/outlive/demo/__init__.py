"""The worked example as a show: the export jobs of examples/leaky_export in child processes, and what they prove."""
