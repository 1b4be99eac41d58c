"""Learners: training on labels that may be wrong."""
