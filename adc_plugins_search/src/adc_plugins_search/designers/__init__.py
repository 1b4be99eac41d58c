"""Designers: from a brief to classes, attributes and queries."""
