"""What outlives its run, how that grows, and which verdict follows."""
