"""The face of ADC: records, interfaces, registry and pipeline.

`__init__.pyi` is the one list of its names. Each is imported when first used, so that `adc list`
and `adc --help` stay light.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
