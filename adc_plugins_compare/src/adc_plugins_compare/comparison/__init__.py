"""The file that says what is compared, and the cells that it means."""
