"""Label noise as a whole: how many labels are wrong, and how well that can be known."""
