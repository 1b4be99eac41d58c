"""Random changes of images, one after the other: our own, torchvision's and the user's."""
