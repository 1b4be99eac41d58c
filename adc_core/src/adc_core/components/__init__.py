"""Components: the interfaces, the registry that finds them, and the work they do it in."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
