"""Devices, precision, several processes, and errors that the hardware causes."""
