"""The table of votes as a file, and as a dataset's evidence."""
