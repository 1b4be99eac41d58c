"""Which detector suits a dataset: noise is simulated on it, and each detector looks for it."""
