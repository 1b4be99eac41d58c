"""What the votes of a dataset say of its labels."""
