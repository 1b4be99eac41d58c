"""Nearest neighbors: the exact search, the index, and the votes of neighbors."""
