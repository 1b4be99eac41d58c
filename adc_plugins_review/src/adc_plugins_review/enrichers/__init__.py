"""What adds votes to a dataset."""
