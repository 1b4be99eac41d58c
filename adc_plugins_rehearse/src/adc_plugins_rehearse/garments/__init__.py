"""Drawn garments: what is found for which words, and how it looks."""
