"""Downloading what searchers find: searches, workers, HTTP, images and the resulting tables."""
