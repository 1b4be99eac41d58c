"""People in the loop: what they vote, what their votes say, and how much noise is left.

Names are imported when first used, so that `import adc_plugins_review` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
