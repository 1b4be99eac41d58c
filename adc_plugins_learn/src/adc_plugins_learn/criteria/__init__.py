"""Criteria: losses of one sample, for methods that leave theirs open."""
