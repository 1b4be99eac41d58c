"""What the cells measured, as tables."""
