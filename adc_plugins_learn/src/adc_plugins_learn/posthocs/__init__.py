"""Post-hoc corrections: shifts of the logits of a trained model."""
