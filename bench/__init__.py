"""Measurements of the project: `python -m bench` prints one table."""
