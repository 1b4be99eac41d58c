"""Training dynamics as arrays, and the LSTM that reads them."""
