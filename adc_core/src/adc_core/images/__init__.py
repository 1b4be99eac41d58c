"""Images as a sequence that is decoded when asked for: from arrays, files, tar shards, tables."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
