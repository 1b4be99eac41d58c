"""What is asked of whom, and what was answered: the plan, the store of votes, the dealing."""
