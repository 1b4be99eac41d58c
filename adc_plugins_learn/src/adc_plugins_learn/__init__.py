"""The ADC plugins for the learn stages; each component is found by its entry point."""
