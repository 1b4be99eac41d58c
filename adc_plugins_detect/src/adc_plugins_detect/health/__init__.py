"""The health of a dataset beside its labels: its images, copies, splits, order and classes."""
