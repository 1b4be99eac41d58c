"""Patterns of relief and thread: stitches, weaves, surfaces, trims, and bands of figures."""

import numpy as np

from adc_plugins_rehearse.garments.cloth import Cloth, bars, part, step, wave
from adc_plugins_rehearse.garments.materials import lace as lace_threads
from adc_plugins_rehearse.garments.prints import Print, flowers


def cables(cloth: Cloth, count: float, twists: float) -> Print:
    """Draw columns of strands that wind around each other, with a ground of purl between them."""
    x, y = part(cloth.u * count) - 0.5, cloth.v * twists
    swing = 0.17 * (2 * wave(y) - 1)
    strands = np.maximum(step(0.13 - np.abs(x - swing), 0.09), step(0.13 - np.abs(x + swing), 0.09))
    return Print(relief=0.62 * strands - 0.34)


def ribs(cloth: Cloth, count: float, depth: float) -> Print:
    """Draw ribs down the garment."""
    return Print(relief=depth * (wave(cloth.u * count) - 0.5))


def rows(cloth: Cloth, count: float, depth: float) -> Print:
    """Draw ridges across it."""
    return Print(relief=depth * (wave(cloth.v * count) - 0.5))


def checkers(cloth: Cloth, count: float, depth: float) -> Print:
    """Draw bumps or blocks of stitches, in turn."""
    across, down = wave(cloth.u * count) - 0.5, wave(cloth.v * count) - 0.5
    return Print(relief=depth * np.sign(across * down) * np.sqrt(np.abs(across * down)) * 2)


def basket(cloth: Cloth) -> Print:
    """Draw squares of ribs, in turn down and across."""
    x, y = cloth.u * 12, cloth.v * 12
    turned = (np.floor(x) + np.floor(y)) % 2
    return Print(relief=0.5 * (np.where(turned, wave(x * 3), wave(y * 3)) - 0.5))


def aran(cloth: Cloth) -> Print:
    """Draw cables beside lattices."""
    twists = cables(cloth, 5, 7).relief
    lattice = bars((cloth.u + cloth.v) * 16, 0.3, 0.2) + bars((cloth.u - cloth.v) * 16, 0.3, 0.2)
    return Print(
        relief=np.where(np.abs(part(cloth.u * 2.5) - 0.5) < 0.25, twists, 0.4 * lattice - 0.2)
    )


def honeycomb(cloth: Cloth) -> Print:
    """Draw cells with walls."""
    x, y = cloth.u * 13, cloth.v * 9
    walls = np.abs(part(x + 0.5 * (np.floor(y) % 2)) - 0.5) * 0.9 + np.abs(part(y) - 0.5)
    return Print(relief=0.6 * (0.5 - walls))


def fair_isle(cloth: Cloth) -> Print:
    """Draw bands of small figures in two colours, stitch by stitch."""
    x, y = np.floor(cloth.u * 60), np.floor(cloth.v * 60)
    band, row = np.floor(y / 10) % 3, y % 10
    peak = np.abs(x % 8 - 4)
    figure = np.where(band == 0, np.abs(row - 5) + peak < 4.5, np.abs(row - 5 - (peak - 2)) < 1)
    figure = np.where(band == 2, (np.abs(row - 5) < 1.5) & ((x + row) % 4 < 2), figure)
    return Print(((figure.astype(np.float32), 0), ((row == 0).astype(np.float32), 1)))


def intarsia(cloth: Cloth) -> Print:
    """Draw a lozenge of stitches on the chest."""
    x, y = np.floor(cloth.u * 70) / 70, np.floor(cloth.v * 70) / 70 - 0.48
    blocks = np.abs(x) * 1.2 + np.abs(y) < 0.2, np.abs(x) * 1.2 + np.abs(y) < 0.11
    return Print(((blocks[0].astype(np.float32), 0), (blocks[1].astype(np.float32), 1)))


def herringbone(cloth: Cloth) -> Print:
    """Draw twill that turns back and forth."""
    rows = np.where(np.floor(cloth.u * 12) % 2, cloth.u, -cloth.u)
    return Print(((0.42 * bars((rows + cloth.v) * 34, 0.5, 0.2), 0),))


def damask(cloth: Cloth, count: float) -> Print:
    """Draw flowers of one colour that take the light differently."""
    (leaves, _), (petals, _), _ = flowers(cloth, count, 1.5).layers
    return Print(relief=0.34 * np.maximum(leaves, petals) - 0.1)


def sharkskin(cloth: Cloth) -> Print:
    """Draw fine diagonal threads of two colours."""
    return Print(((0.36 * bars((cloth.u * 0.6 + cloth.v) * 75, 0.5, 0.3), 0),))


def quilted(cloth: Cloth) -> Print:
    """Draw padded lozenges."""
    a, b = (cloth.u + cloth.v) * 7.5, (cloth.u - cloth.v) * 7.5
    bulge = np.minimum(1 - np.abs(2 * part(a) - 1), 1 - np.abs(2 * part(b) - 1))
    return Print(relief=0.55 * np.sqrt(bulge) - 0.38)


def embossed(cloth: Cloth) -> Print:
    """Draw flowers pressed into the cloth."""
    petals, _ = flowers(cloth, 6, 1.3).layers[1]
    return Print(relief=0.4 * (petals - np.roll(petals, 3, (0, 1))))


def textured(cloth: Cloth) -> Print:
    """Draw an uneven surface."""
    return Print(relief=0.4 * (np.abs(cloth.smooth(40)) - 0.45))


def lace(cloth: Cloth) -> Print:
    """Draw flowers of pale thread, with holes."""
    thread = lace_threads(cloth)
    return Print(((0.75 * thread, 0),), holes=0.35 * (1 - thread))


def eyelet(cloth: Cloth) -> Print:
    """Draw stitched holes in staggered rows."""
    y = cloth.v * 13
    reach = np.hypot(part(cloth.u * 13 + 0.5 * (np.floor(y) % 2)) - 0.5, part(y) - 0.5)
    holes = step(0.17 - reach, 0.04)
    return Print(relief=0.28 * step(0.08 - np.abs(reach - 0.24), 0.05), holes=holes)


def embroidered(cloth: Cloth) -> Print:
    """Draw flowers of thread on the shoulders and chest."""
    place = step(0.14 - np.abs(np.abs(cloth.u) - 0.15), 0.05) * step(0.5 - cloth.v, 0.1)
    layers = flowers(cloth, 7, 1.25).layers
    thread = 0.8 + 0.2 * bars((cloth.u + cloth.v) * 90, 0.5, 0.3)
    return Print(tuple((place * share * thread, color) for share, color in layers))


def fringes(cloth: Cloth) -> Print:
    """Draw threads that hang in rows."""
    y = part(cloth.v * 3.2)
    threads = bars(cloth.u * 55 + 0.2 * cloth.smooth(30), 0.55, 0.2)
    return Print(relief=0.75 * threads * step(y - 0.12, 0.05) - 0.35 - 0.3 * step(0.06 - y, 0.02))


def fishnet(cloth: Cloth) -> Print:
    """Draw a net."""
    net = np.maximum(
        bars((cloth.u + cloth.v) * 17, 0.34, 0.1), bars((cloth.u - cloth.v) * 17, 0.34)
    )
    return Print(holes=0.9 * (1 - np.minimum(1, net)))


def aztec(cloth: Cloth) -> Print:
    """Draw bands of stepped diamonds and zigzags."""
    x, y = np.floor(cloth.u * 60) / 60, np.floor(cloth.v * 60) / 60
    band, row = np.floor(y * 5) % 2, np.abs(part(y * 5) - 0.5)
    across = np.abs(part(x * 6) - 0.5)
    diamond = bars((row + across) * 3, 0.5, 0.02)
    zigzag = np.abs(row - across * 0.8) < 0.09
    edges = (row > 0.45).astype(np.float32)
    return Print(((np.where(band, diamond, zigzag).astype(np.float32), 0), (edges, 1)))


def tribal(cloth: Cloth) -> Print:
    """Draw curved bands with hooks."""
    curve = cloth.v * 5 + 0.8 * wave(cloth.u * 2.5) + 0.3 * cloth.smooth(5)
    hooks = step(wave(curve) - 0.72 + 0.5 * (wave(cloth.u * 7) - 0.5), 0.05)
    return Print(((hooks, 0), (bars(curve + 0.5, 0.08, 0.03), 1)))
