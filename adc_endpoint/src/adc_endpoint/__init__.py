"""How ADC's plugins talk to services: addresses, keys, and chat completions that are paid once.

A library of plugins, without components of its own. Names are imported when first used, so that
`import adc_endpoint` stays light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
