"""What hears of a run and writes what people read."""
