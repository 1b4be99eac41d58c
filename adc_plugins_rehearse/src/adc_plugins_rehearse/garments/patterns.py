"""The patterns of the vocabulary, by name."""

from collections.abc import Callable
from functools import partial

from adc_plugins_rehearse.garments import prints, stitches
from adc_plugins_rehearse.garments.cloth import Cloth
from adc_plugins_rehearse.garments.prints import Print


def pattern(name: str, cloth: Cloth) -> Print:
    """Return a pattern of the vocabulary on a piece of cloth."""
    return PATTERNS[name](cloth)


PATTERNS: dict[str, Callable[[Cloth], Print]] = {
    "solid": prints.solid,
    "striped": partial(prints.stripes, count=8, share=0.45, down=False, strength=1),
    "pinstripe": partial(prints.stripes, count=26, share=0.12, down=True, strength=0.85),
    "chalk stripe": partial(prints.stripes, count=12, share=0.14, down=True, strength=0.6),
    "shadow stripe": prints.shadow_stripes,
    "plaid": partial(
        prints.bands, parts=((0, 0.4, 2, 0.5), (0.5, 0.08, 0, 0.8), (0.2, 0.06, 1, 0.8)), size=5
    ),
    "gingham": prints.gingham,
    "tartan": partial(
        prints.bands,
        parts=((0, 0.34, 1, 0.5), (0.3, 0.10, 3, 0.6), (0.62, 0.04, 0, 0.9), (0.72, 0.04, 0, 0.9)),
        size=4.4,
    ),
    "houndstooth": prints.houndstooth,
    "glen check": prints.glen_check,
    "windowpane": partial(prints.bands, parts=((0, 0.06, 0, 0.85),), size=8),
    "argyle": partial(prints.diamonds, size=4, lines=0.05),
    "polka dot": partial(prints.dots, count=11, radius=0.27),
    "pin dot": partial(prints.dots, count=26, radius=0.20),
    "birdseye": partial(prints.dots, count=48, radius=0.22),
    "floral": partial(prints.flowers, count=6, size=1.15),
    "ditsy": partial(prints.flowers, count=14, size=0.95),
    "paisley": prints.paisley,
    "toile": prints.toile,
    "animal print": prints.spots,
    "camouflage": prints.camouflage,
    "geometric": prints.triangles,
    "chevron": partial(prints.zigzag, count=8, share=0.42),
    "diamond": partial(prints.diamonds, size=7, lines=0),
    "color block": prints.blocks,
    "abstract": prints.abstract,
    "grid": partial(prints.bands, parts=((0, 0.11, 0, 1),), size=14),
    "tie-dye": prints.rings,
    "ombre": prints.ombre,
    "batik": prints.batik,
    "shibori": prints.shibori,
    "ikat": prints.ikat,
    "graphic": partial(prints.emblem, radius=0.17),
    "logo": prints.logo,
    "emoji": prints.emoji,
    "galaxy": prints.galaxy,
    "cable knit": partial(stitches.cables, count=7, twists=9),
    "fair isle": stitches.fair_isle,
    "aran": stitches.aran,
    "fisherman": partial(stitches.ribs, count=22, depth=0.6),
    "ribbed": partial(stitches.ribs, count=34, depth=0.5),
    "seed stitch": partial(stitches.checkers, count=26, depth=0.5),
    "moss stitch": partial(stitches.checkers, count=17, depth=0.5),
    "garter stitch": partial(stitches.rows, count=30, depth=0.5),
    "brioche": partial(stitches.ribs, count=15, depth=0.75),
    "basketweave": stitches.basket,
    "intarsia": stitches.intarsia,
    "honeycomb": stitches.honeycomb,
    "herringbone": stitches.herringbone,
    "jacquard": partial(stitches.damask, count=9),
    "damask": partial(stitches.damask, count=4),
    "sharkskin": stitches.sharkskin,
    "quilted": stitches.quilted,
    "embossed": stitches.embossed,
    "textured": stitches.textured,
    "lace": stitches.lace,
    "eyelet": stitches.eyelet,
    "embroidered": stitches.embroidered,
    "fringe": stitches.fringes,
    "fishnet": stitches.fishnet,
    "aztec": stitches.aztec,
    "tribal": stitches.tribal,
}
"""By name in the vocabulary."""
