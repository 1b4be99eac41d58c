"""Enrichers that ask models what an image shows."""
