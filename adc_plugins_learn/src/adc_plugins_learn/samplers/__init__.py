"""Samplers: of which samples an epoch of a training consists."""
