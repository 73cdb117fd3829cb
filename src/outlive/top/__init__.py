"""The live screen: what a recording says now, once a second, and what changed since a mark."""
