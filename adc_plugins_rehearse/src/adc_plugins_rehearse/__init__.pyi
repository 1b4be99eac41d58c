from .catalog import Catalog as Catalog
from .catalog import Offer as Offer
from .digits import DigitCatalog as DigitCatalog
from .flaws import CLEAN as CLEAN
from .flaws import Flaws as Flaws
from .garments.catalog import GarmentCatalog as GarmentCatalog
from .protocols.protocol import Protocol as Protocol
from .server import GalleryServer as GalleryServer

__all__ = [
    "CLEAN",
    "Catalog",
    "DigitCatalog",
    "Flaws",
    "GalleryServer",
    "GarmentCatalog",
    "Offer",
    "Protocol",
]
