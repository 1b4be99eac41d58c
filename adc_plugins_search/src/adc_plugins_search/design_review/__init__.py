"""Review of a proposed design by a person, kept in a file."""
