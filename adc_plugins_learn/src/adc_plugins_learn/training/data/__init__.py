"""What a training is fed: images, samples, augmentation, a validation set."""
