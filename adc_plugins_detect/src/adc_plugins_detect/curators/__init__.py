"""Curators: what becomes of flagged samples."""
