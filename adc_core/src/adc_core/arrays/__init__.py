"""Arrays: checked where they enter, hashed, in pieces that fit a cache, and texts among them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
