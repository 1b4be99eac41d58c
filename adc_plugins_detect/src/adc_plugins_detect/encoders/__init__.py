"""Encoders that need no deep-learning library."""
