"""Collectors: from queries to a labelled dataset of verified images."""
