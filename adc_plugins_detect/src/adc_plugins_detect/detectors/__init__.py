"""Detectors: samples whose label looks wrong."""
