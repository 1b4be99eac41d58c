"""`adc audit`: labels to look at, and what their answers say."""
