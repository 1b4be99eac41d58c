"""Label-noise detectors, curators, simulators and detection metrics.

Array users import functions: `(labels, evidence, *, options) -> Findings`; pipelines in Python take
components. `__init__.pyi` is the one list; each name is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
