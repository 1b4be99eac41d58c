"""From a design to hits, and from hits to tasks."""
