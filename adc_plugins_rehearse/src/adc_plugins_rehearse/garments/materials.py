"""What cloth is made of, as texture: stitches, threads, shine, grain, hairs, padding."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from adc_plugins_rehearse.garments.cloth import Cloth, Pixels, bars, part, step, wave
from adc_plugins_search.terms import read_words


@dataclass(frozen=True)
class Texture:
    """How a material takes the light.

    Attributes:
        relief: its own light and shade, about -1…1 around 0.
        gloss: share of white light that folds throw back, 0 for a matt cloth.
        folds: how deep folds are.
        cover: how much of what is behind it is hidden; 1 all.
    """

    relief: Pixels
    gloss: float = 0.0
    folds: float = 1.0
    cover: Pixels | float = 1.0


def texture(material: str, cloth: Cloth) -> Texture:
    """Return the texture of a material of the vocabulary."""
    name = group_of(material)
    return TEXTURES[name](cloth, material)


@cache
def _groups() -> dict[str, str]:
    words: dict[str, Any] = read_words()["material"]
    return {word: group for group, members in words.items() for word in members}


def group_of(material: str) -> str:
    """Return the group of the vocabulary that a material belongs to."""
    return _groups()[material]


def _wool(cloth: Cloth, material: str) -> Texture:
    count = {"wool": 46, "cashmere": 64, "alpaca": 40, "angora": 50, "mohair": 36}[material]
    across, down = cloth.u * count, cloth.v * count * 0.8
    stitch = wave(down + 0.45 * wave(across)) - 0.5
    hairs = {"cashmere": 0.15, "wool": 0.25}.get(material, 0.6)
    return Texture(0.26 * stitch + 0.09 * hairs * cloth.grain(), folds=0.8)


def _woollen_cloth(cloth: Cloth, material: str) -> Texture:
    if material == "flannel":
        return Texture(0.05 * cloth.grain() + 0.05 * cloth.smooth(40), folds=0.8)
    flecks = step(cloth.smooth(90) - 0.75, 0.15) - step(-0.75 - cloth.smooth(90), 0.15)
    return Texture(0.30 * flecks + 0.13 * cloth.grain(), folds=0.7)


def _cotton(cloth: Cloth, material: str) -> Texture:
    return Texture(0.03 * cloth.grain() + 0.03 * (wave(cloth.u * 90) - 0.5))


def _cotton_cloth(cloth: Cloth, material: str) -> Texture:
    if material == "corduroy":
        return Texture(0.42 * (wave(cloth.u * 38) - 0.5) + 0.03 * cloth.grain(), folds=0.7)
    diagonal = wave((cloth.u + cloth.v) * 62) - 0.5
    if material == "denim":
        return Texture(0.22 * diagonal + 0.10 * cloth.smooth(7) + 0.06 * cloth.grain(), folds=1.2)
    if material == "twill":
        return Texture(0.16 * diagonal + 0.02 * cloth.grain())
    return Texture(0.10 * cloth.grain() + 0.05 * (wave(cloth.v * 80) - 0.5))


def _plant(cloth: Cloth, material: str) -> Texture:
    threads = 0.10 * _threads(cloth, cloth.u, 130) + 0.10 * _threads(cloth, cloth.v, 130)
    return Texture(threads + 0.04 * cloth.grain(), folds=1.5)


def _threads(cloth: Cloth, along: Pixels, count: int) -> Pixels:
    """Return threads that are not all alike."""
    lightness = cloth.random.uniform(-1, 1, 4 * count).astype(np.float32)
    return lightness[np.floor(along * count).astype(np.int64) % len(lightness)]


def _regenerated(cloth: Cloth, material: str) -> Texture:
    return Texture(0.025 * cloth.grain(), gloss=0.16, folds=1.3)


def _silk(cloth: Cloth, material: str) -> Texture:
    return Texture(0.01 * cloth.grain(), gloss=0.62 if material == "satin" else 0.5, folds=1.8)


def _sheer(cloth: Cloth, material: str) -> Texture:
    if material == "lace":
        return Texture(0.1 * cloth.grain(), cover=0.35 + 0.65 * lace(cloth))
    count = {"tulle": 60, "organza": 90}.get(material, 110)
    mesh = np.maximum(bars(cloth.u * count, 0.4, 0.2), bars(cloth.v * count, 0.4, 0.2))
    cover = 0.56 + 0.10 * mesh
    return Texture(0.05 * mesh, gloss=0.25 if material == "organza" else 0.05, cover=cover)


def lace(cloth: Cloth) -> Pixels:
    """Return flowers of thread with holes between them: 1 where there is thread."""
    x, y = part(cloth.u * 15) - 0.5, part(cloth.v * 15) - 0.5
    reach, turn = np.hypot(x, y), np.arctan2(y, x)
    petals = step(0.30 + 0.13 * np.cos(6 * turn) - reach, 0.04) - step(0.10 - reach, 0.04)
    net = np.maximum(bars((cloth.u + cloth.v) * 45, 0.3, 0.15), bars((cloth.u - cloth.v) * 45, 0.3))
    return np.maximum(petals, 0.7 * net)


def _pile(cloth: Cloth, material: str) -> Texture:
    if material == "velvet":
        return Texture(0.10 * cloth.smooth(9) + 0.03 * cloth.grain(), gloss=0.3, folds=1.7)
    if material == "fur":
        tufts = 0.26 * cloth.smooth(48) + 0.20 * _strands(cloth)
        return Texture(tufts + 0.12 * cloth.grain(), folds=0.6)
    return Texture(0.19 * cloth.smooth(44) + 0.06 * cloth.grain(), folds=0.6)


def _strands(cloth: Cloth) -> Pixels:
    return wave(cloth.u * 70 + 2.5 * cloth.smooth(16)) - 0.5


def _synthetic(cloth: Cloth, material: str) -> Texture:
    if material == "acrylic":
        return Texture(0.16 * (wave(cloth.u * 50) - 0.5) + 0.05 * cloth.grain(), gloss=0.08)
    return Texture(0.015 * cloth.grain(), gloss=0.30, folds=1.1)


def _shell(cloth: Cloth, material: str) -> Texture:
    if material == "ripstop":
        grid = np.maximum(bars(cloth.u * 30, 0.14), bars(cloth.v * 30, 0.14))
        return Texture(0.14 * grid, gloss=0.22, folds=1.5)
    gloss = {"pvc": 0.8, "neoprene": 0.15, "softshell": 0.12}.get(material, 0.3)
    creases = 0.13 * (np.abs(cloth.smooth(8)) - 0.4)
    return Texture(creases + 0.015 * cloth.grain(), gloss=gloss, folds=1.6)


def _leather(cloth: Cloth, material: str) -> Texture:
    if material == "suede":
        return Texture(0.09 * cloth.smooth(26) + 0.06 * cloth.grain(), folds=0.9)
    wrinkles = 0.24 * (np.abs(cloth.smooth(30)) - 0.45)
    return Texture(wrinkles + 0.03 * cloth.grain(), gloss=0.7, folds=1.7)


def _filling(cloth: Cloth, material: str) -> Texture:
    place = part(cloth.v * 8.5 + 0.25 * cloth.smooth(6))
    bulge = 1.15 * np.sqrt(np.maximum(0, place * (1 - place)) * 4) - 0.85
    return Texture(0.55 * bulge + 0.08 * cloth.smooth(14), gloss=0.22, folds=0.5)


TEXTURES: dict[str, Callable[[Cloth, str], Texture]] = {
    "wool": _wool,
    "woollen cloth": _woollen_cloth,
    "cotton": _cotton,
    "cotton cloth": _cotton_cloth,
    "plant": _plant,
    "regenerated": _regenerated,
    "silk": _silk,
    "sheer": _sheer,
    "pile": _pile,
    "synthetic": _synthetic,
    "shell": _shell,
    "leather": _leather,
    "filling": _filling,
}
"""By group of the vocabulary."""
