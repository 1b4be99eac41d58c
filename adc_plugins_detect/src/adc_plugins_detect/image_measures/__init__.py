"""What is measured of each image by itself, and of pairs of them."""
