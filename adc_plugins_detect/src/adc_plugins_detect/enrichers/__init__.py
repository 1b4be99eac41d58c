"""Enrichers: evidence that is computed from other evidence."""
