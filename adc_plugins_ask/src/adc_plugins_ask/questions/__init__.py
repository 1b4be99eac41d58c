"""What is asked of the images of a class."""
