"""From bytes to stored images."""
