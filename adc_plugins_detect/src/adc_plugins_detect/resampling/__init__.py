"""Rows of features that no sample has, for probes that shall know rare classes."""
