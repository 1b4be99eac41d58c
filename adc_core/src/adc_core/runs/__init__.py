"""Runs: a pipeline, carried out in a directory of its own, resumed, read again."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
