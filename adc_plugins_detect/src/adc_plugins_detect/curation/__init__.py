"""What several curators share."""
