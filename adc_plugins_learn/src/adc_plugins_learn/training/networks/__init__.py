"""Networks: backbones, heads, weights, and trained models on disk."""
