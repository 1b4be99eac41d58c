"""Asking about many images at once, within a budget."""
