"""What judges labels by votes."""
