"""What votes say: functions on long arrays, one entry per vote."""
