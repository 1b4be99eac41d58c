"""Sub-commands of `adc`."""
