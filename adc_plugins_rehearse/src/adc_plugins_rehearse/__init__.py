"""The gallery: a search engine on this machine with known labels, for demos and tests.

Names are imported when first used, so that `import adc_plugins_rehearse` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
