"""What models said, read: yes or no, a choice, a refusal, probabilities of letters."""
