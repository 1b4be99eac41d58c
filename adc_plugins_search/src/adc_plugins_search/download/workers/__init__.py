"""Worker processes that fetch, and their supervisor."""
