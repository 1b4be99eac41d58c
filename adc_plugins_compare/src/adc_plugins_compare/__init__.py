"""Comparisons: a grid of pipelines and seeds from one file, and its tables.

Names are imported when first used, so that `import adc_plugins_compare` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
