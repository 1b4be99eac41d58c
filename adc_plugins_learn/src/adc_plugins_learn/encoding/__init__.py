"""Encoding with frozen networks: what the encoders of every library share."""
