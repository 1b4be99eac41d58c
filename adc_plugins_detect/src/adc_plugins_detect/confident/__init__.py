"""The confident joint of Confident Learning and what is pruned by it."""
