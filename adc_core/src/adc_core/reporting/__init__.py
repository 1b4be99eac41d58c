"""What is said of a run: summaries of detectors, trust, tables, and what HTML pages share."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
