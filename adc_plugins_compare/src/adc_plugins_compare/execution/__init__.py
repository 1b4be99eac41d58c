"""Running the cells: one after another, or several at a time."""
