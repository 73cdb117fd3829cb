"""Starts outlive in processes that never imported it, and takes it out again."""
