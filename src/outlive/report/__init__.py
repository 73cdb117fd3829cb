"""Figures as people and scripts read them: terminal tables and JSON."""
