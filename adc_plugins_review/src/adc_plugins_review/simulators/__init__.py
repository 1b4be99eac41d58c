"""What simulates people."""
