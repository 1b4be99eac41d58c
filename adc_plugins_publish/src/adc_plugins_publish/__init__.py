"""Datasets in the formats of other tools, and lists of moves for folders of one's own."""
