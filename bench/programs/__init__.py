"""What the benchmarks run in their children."""
