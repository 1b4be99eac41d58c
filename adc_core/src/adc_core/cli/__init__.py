"""The command line: `main`, and what sub-commands of other packages share with its own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
