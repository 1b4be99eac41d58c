"""From outcomes to tables and a dataset."""
