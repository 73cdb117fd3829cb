"""Children that run in turn, their figures side by side, and whether these reach what was promised."""
