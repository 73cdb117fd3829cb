"""Heap snapshots read: census, holder paths, dominators, suspects, SQL."""
