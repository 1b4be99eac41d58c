"""Encoders: images to feature vectors."""
