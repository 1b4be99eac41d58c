"""Which samples to ask people about, or a model that costs money."""
