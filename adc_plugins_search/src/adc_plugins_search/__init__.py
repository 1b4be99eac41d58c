"""The ADC plugins for the search stages; each component is found by its entry point."""
