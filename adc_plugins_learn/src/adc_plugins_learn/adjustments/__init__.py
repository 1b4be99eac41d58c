"""Adjustments: changes of the logits that are learned from."""
