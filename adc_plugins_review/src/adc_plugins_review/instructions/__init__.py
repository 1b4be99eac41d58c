"""Instructions for people who label: what a class looks like, and what it is taken for."""
