"""Enrichers: evidence about labels that a training brings to light."""
