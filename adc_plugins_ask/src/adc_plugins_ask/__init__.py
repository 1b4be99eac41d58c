"""Detectors and enrichers of ADC that ask multimodal models what an image shows.

Names are imported when first used, so that `import adc_plugins_ask` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
