"""What measures raters."""
