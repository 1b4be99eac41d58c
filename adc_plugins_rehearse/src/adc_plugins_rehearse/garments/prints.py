"""Patterns of two or more colours: woven, dyed, printed.

A pattern gives layers of second colours, each with the share of every pixel that it covers, and a
relief of its own. The garment's colour stays the most common one.
"""

from dataclasses import dataclass

import numpy as np

from adc_plugins_rehearse.garments.cloth import Cloth, Pixels, bars, of_cell, part, step, wave


@dataclass(frozen=True)
class Print:
    """A pattern on a piece of cloth.

    Attributes:
        layers: shares of pixels 0…1 with the number of their second colour, in order.
        relief: light and shade of its own, around 0.
        holes: where there is no cloth, 0…1.
    """

    layers: tuple[tuple[Pixels, int], ...] = ()
    relief: Pixels | float = 0.0
    holes: Pixels | float = 0.0


def solid(cloth: Cloth) -> Print:
    """Draw one colour."""
    return Print()


def stripes(cloth: Cloth, count: float, share: float, *, down: bool, strength: float) -> Print:
    """Draw stripes across, or down the garment."""
    count *= cloth.number(0.85, 1.15)
    along = cloth.u if down else cloth.v
    return Print(((strength * bars(along * count, share), 0),))


def shadow_stripes(cloth: Cloth) -> Print:
    """Draw stripes of one colour that take the light differently."""
    return Print(relief=0.24 * (bars(cloth.u * 20, 0.5) - 0.5))


def bands(cloth: Cloth, parts: tuple[tuple[float, float, int, float], ...], size: float) -> Print:
    """Draw bands that cross, each with its place, its width, its colour and its strength."""
    size *= cloth.number(0.85, 1.15)
    layers = [
        (np.float32(strength) * bars(along * size + place, width, 0.03), color)
        for place, width, color, strength in parts
        for along in (cloth.u, cloth.v)
    ]
    return Print(tuple(layers))


def gingham(cloth: Cloth) -> Print:
    """Draw checks of two crossing bands."""
    size = 12 * cloth.number(0.8, 1.2)
    across, down = bars(cloth.u * size, 0.5), bars(cloth.v * size, 0.5)
    return Print(((np.minimum(1, 0.5 * across + 0.5 * down), 2),))


def houndstooth(cloth: Cloth) -> Print:
    """Draw broken checks, from the twill of four dark and four light threads."""
    size = 11 * cloth.number(0.8, 1.2)
    x, y = np.floor(part(cloth.u * size) * 8), np.floor(part(cloth.v * size) * 8)
    warp, weft, twill = x < 4, y < 4, (x + y) % 4 < 2
    return Print(((np.where(twill, warp, weft).astype(np.float32) * 0.95, 0),))


def glen_check(cloth: Cloth) -> Print:
    """Draw large checks of fine ones."""
    large = wave(cloth.u * 5) > 0.5, wave(cloth.v * 5) > 0.5
    fine = bars((cloth.u + cloth.v) * 55, 0.5, 0.3)
    check = bars(cloth.u * 55, 0.5, 0.3) * large[0] + bars(cloth.v * 55, 0.5, 0.3) * large[1]
    return Print(((np.minimum(0.62, 0.5 * check + 0.12 * fine), 0),))


def diamonds(cloth: Cloth, size: float, lines: float) -> Print:
    """Draw lozenges, with or without lines across them."""
    size *= cloth.number(0.85, 1.15)
    a, b = (cloth.u * 1.4 + cloth.v) * size, (cloth.u * 1.4 - cloth.v) * size
    filled = ((np.floor(a) % 2) * (np.floor(b) % 2)).astype(np.float32)
    thin = np.maximum(bars(a, lines, 0.03), bars(b, lines, 0.03))
    return Print(((0.9 * filled, 0), (thin, 1)))


def dots(cloth: Cloth, count: float, radius: float) -> Print:
    """Draw dots in staggered rows."""
    count *= cloth.number(0.85, 1.15)
    y = cloth.v * count
    x = cloth.u * count + 0.5 * (np.floor(y) % 2)
    reach = np.hypot(part(x) - 0.5, part(y) - 0.5)
    return Print(((step(radius - reach, 0.05), 0),))


def flowers(cloth: Cloth, count: float, size: float) -> Print:
    """Draw flowers of five petals with a heart, each turned and moved a little, and leaves."""
    x, y = cloth.u * count + 100, cloth.v * count
    x = x + 0.5 * (np.floor(y) % 2)
    moved = 0.34 * (of_cell(x, y) - 0.5), 0.34 * (of_cell(x, y, 1) - 0.5)
    x, y, angle = part(x) - 0.5 + moved[0], part(y) - 0.5 + moved[1], 6.3 * of_cell(x, y, 2)
    reach, turn = np.hypot(x, y), np.arctan2(y, x) + angle
    petals = step(size * (0.26 + 0.11 * np.cos(5 * turn)) - reach, 0.03)
    leaves = step(size * 0.42 * np.maximum(0, np.cos(turn * 1.5 + 1)) ** 6 - reach, 0.03)
    return Print(((leaves, 2), (petals, 0), (step(size * 0.09 - reach, 0.03), 1)))


def paisley(cloth: Cloth) -> Print:
    """Draw drops with rings in them."""
    x, y = cloth.u * 6 + 50, cloth.v * 6
    x = x + 0.5 * (np.floor(y) % 2)
    x, y = part(x) - 0.5, part(y) - 0.5
    reach = np.hypot(x + 0.25 * (y - 0.1) ** 2 * np.sign(y), y * 0.8)
    width = 0.30 - 0.22 * np.clip(y + 0.3, 0, 1)
    drop = np.hypot(x + 0.5 * y * np.abs(y), 0.62 * y) - width
    rings = bars(reach * 12, 0.4, 0.1) * step(-drop, 0.03)
    return Print(((step(0.03 - np.abs(drop), 0.02), 0), (rings, 1)))


def toile(cloth: Cloth) -> Print:
    """Draw fine drawing in patches."""
    fine = bars(cloth.smooth(14) * 3, 0.22, 0.08) * step(cloth.smooth(5), 0.1)
    return Print(((fine, 0),))


def spots(cloth: Cloth) -> Print:
    """Draw a leopard's: rings that are not closed."""
    x, y = cloth.u * 15 + 60 + 0.4 * cloth.smooth(14), cloth.v * 15 + 0.4 * cloth.smooth(14)
    x = x + 0.5 * (np.floor(y) % 2)
    angle = 6.3 * of_cell(x, y)
    x, y = part(x) - 0.5, part(y) - 0.5
    reach, turn = np.hypot(x, y), np.arctan2(y, x) + angle
    ring = step(0.11 - np.abs(reach - 0.28), 0.05) * step(np.cos(turn) + 0.7, 0.2)
    return Print(((step(0.2 - reach, 0.05), 1), (ring, 3)))


def camouflage(cloth: Cloth) -> Print:
    """Draw patches of three shades."""
    one, two = cloth.smooth(9) + 0.5 * cloth.smooth(20), cloth.smooth(9) + 0.5 * cloth.smooth(20)
    return Print(((step(one - 0.45, 0.03), 2), (step(two - 0.6, 0.03), 3)))


def triangles(cloth: Cloth) -> Print:
    """Draw triangles of two further colours."""
    x, y = cloth.u * 8 + 40, cloth.v * 8
    kind = of_cell(x, y)
    upper = step(part(x) - part(y), 0.04)
    return Print(((upper * (kind > 0.45), 0), ((1 - upper) * (kind < 0.25), 1)))


def zigzag(cloth: Cloth, count: float, share: float) -> Print:
    """Draw zigzag bands."""
    count *= cloth.number(0.85, 1.15)
    return Print(((bars(cloth.v * count + 0.6 * wave(cloth.u * count), share), 0),))


def blocks(cloth: Cloth) -> Print:
    """Draw three large fields."""
    low, high = cloth.number(0.62, 0.70), cloth.number(0.28, 0.36)
    return Print(((step(cloth.v - low, 0.004), 0), (step(high - cloth.v, 0.004), 1)))


def abstract(cloth: Cloth) -> Print:
    """Draw loose strokes."""
    strokes = step(cloth.smooth(6) - 0.5, 0.03), step(np.abs(cloth.smooth(4)) - 0.85, 0.03)
    return Print(((strokes[0], 0), (strokes[1], 1)))


def rings(cloth: Cloth) -> Print:
    """Draw cloth that was bound around a point and dyed."""
    x, y = cloth.u - cloth.number(-0.1, 0.1), cloth.v - cloth.number(0.35, 0.6)
    reach, turn = np.hypot(x, y), np.arctan2(y, x)
    swirl = reach * 7 + turn / 6.283 * 2 + 0.35 * cloth.smooth(10)
    return Print(
        ((0.85 * step(wave(swirl) - 0.55, 0.2), 0), (0.8 * bars(swirl + 0.3, 0.2, 0.2), 1))
    )


def ombre(cloth: Cloth) -> Print:
    """Draw a colour that goes over into another towards the hem."""
    return Print(((np.clip((cloth.v - 0.45) / 0.5, 0, 0.9), 0),))


def batik(cloth: Cloth) -> Print:
    """Draw flowers with the cracks of wax."""
    cracks = step(0.07 - np.abs(cloth.smooth(16)), 0.04)
    motif = flowers(cloth, 4, 1.1).layers[1][0]
    return Print(((0.8 * motif, 1), (0.7 * cracks, 0)))


def shibori(cloth: Cloth) -> Print:
    """Draw rings that ran a little."""
    x, y = part(cloth.u * 9) - 0.5, part(cloth.v * 9) - 0.5
    rings = step(0.09 - np.abs(np.hypot(x, y) - 0.3 - 0.05 * cloth.smooth(30)), 0.07)
    return Print(((0.85 * rings, 0),))


def ikat(cloth: Cloth) -> Print:
    """Draw lozenges of threads that were dyed before weaving."""
    blurred = cloth.u * 5 + 0.16 * cloth.smooth(60)
    diamond = np.abs(part(blurred) - 0.5) + np.abs(part(cloth.v * 4) - 0.5)
    return Print(((bars(diamond * 2.2, 0.4, 0.1), 0), (step(0.14 - diamond, 0.05), 1)))


def emblem(cloth: Cloth, radius: float) -> Print:
    """Draw a large image on the chest."""
    x, y = cloth.u / radius, (cloth.v - 0.45) / radius
    disc = step(1 - np.hypot(x, y), 0.02)
    hills = disc * step(y - 0.25 + 0.35 * wave(x * 0.9 + 0.2), 0.03)
    sun = step(0.3 - np.hypot(x - 0.25, y + 0.35), 0.02)
    return Print(((disc, 0), (sun, 1), (hills, 2)))


def logo(cloth: Cloth) -> Print:
    """Draw a word of a few letters across the chest."""
    x, y = cloth.u / 0.26, (cloth.v - 0.40) / 0.035
    inside = step(1 - np.abs(x), 0.01) * step(1 - np.abs(y), 0.05)
    column = (x + 1) * 14
    letters = (of_cell(column, 0 * column, 5) > 0.3) | (of_cell(column, 1.5 * y + 9, 6) > 0.75)
    gaps = part(column / 4) < 0.82
    return Print(((inside * letters * gaps, 0),))


def emoji(cloth: Cloth) -> Print:
    """Draw a face on the chest."""
    x, y = cloth.u / 0.15, (cloth.v - 0.45) / 0.15
    face = step(1 - np.hypot(x, y), 0.03)
    eyes = step(0.17 - np.hypot((np.abs(x) - 0.35), (y + 0.25) * 0.7), 0.03)
    mouth = step(0.09 - np.abs(np.hypot(x, y - 0.1) - 0.5), 0.03) * step(y - 0.2, 0.03)
    return Print(((face, 4), (np.maximum(eyes, mouth), 5)))


def galaxy(cloth: Cloth) -> Print:
    """Draw clouds and stars."""
    clouds = 0.75 * step(cloth.smooth(4) - 0.2, 0.5), 0.5 * step(cloth.smooth(5) - 0.3, 0.4)
    stars = step(cloth.grain() - 2.6, 0.2)
    return Print(((clouds[0], 1), (clouds[1], 2), (stars, 0)))
