"""The label quality model: what a rater's vote says of the true class, learned from an expert's."""
