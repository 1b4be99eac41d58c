"""Datasets in the formats of other tools, and lists of moves for folders of one's own.

Names are imported when first used, so that `import adc_plugins_publish` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
