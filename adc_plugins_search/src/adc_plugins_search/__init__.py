"""Designers, searchers and the downloader of ADC, and what authors of searchers need.

Names are imported when first used, so that `import adc_plugins_search` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
