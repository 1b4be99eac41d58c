"""Detectors that ask a model what an image shows."""
