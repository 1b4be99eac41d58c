"""Training the weights of the detector `lstm-dynamics` on simulated noise."""
