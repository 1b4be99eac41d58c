"""Metrics of detectors and curators."""
