"""Storage: datasets and files on disk, whole or not at all, and damage that is noticed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
