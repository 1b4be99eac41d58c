"""Encoders, robust learners, enrichers that train, and accuracy metrics.

`__init__.pyi` is the one list of this face's names. Each is imported when first used, so that
`import adc_plugins_learn` does not import torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
