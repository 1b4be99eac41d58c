"""What repairs datasets by votes."""
