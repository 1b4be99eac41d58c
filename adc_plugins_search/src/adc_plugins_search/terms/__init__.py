"""Words for attributes: the vocabulary, their normal form and diverse selections."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
