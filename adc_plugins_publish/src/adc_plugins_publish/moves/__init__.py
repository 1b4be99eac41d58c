"""Lists of moves and removals in a folder of one's own: written, read, carried out."""
