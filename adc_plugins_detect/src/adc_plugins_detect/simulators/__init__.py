"""Simulators: labels made wrong in a known way."""
