"""Images of garments: a silhouette filled with cloth, lit, on a background.

Nothing is photographed: every image is computed from the names of its class, colour, material and
pattern and from a random generator, so it needs no file and nobody's permission.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from adc_plugins_rehearse.garments.cloth import Cloth, Pixels, enlarged, grain, smooth
from adc_plugins_rehearse.garments.materials import texture
from adc_plugins_rehearse.garments.patterns import pattern
from adc_plugins_rehearse.garments.silhouettes import Pose, Silhouette, extent, silhouette
from adc_plugins_search.terms import lab, read_words

LARGEST = 400
"""Longer side, in pixels, up to which images are computed; larger ones are enlarged."""

_LEAST = np.float32(18)
"""Light that the darkest dye throws back, of 255; without any, black cloth would show no seams."""

_SUNNY = np.array([255, 204, 64], np.float32)
_INK = np.array([40, 30, 24], np.float32)
_ACCENTS = (
    "#f8f8f4", "#16171c", "#8c1c24", "#1f2f5c", "#d9a521", "#2f6b47", "#e9c9a6", "#7fb2d6",
    "#c45a2c", "#6d4a8a",
)  # fmt: skip
"""What second colours are taken from."""


@dataclass(frozen=True)
class Garment:
    """What an image shows, in the words of the vocabulary."""

    class_name: str
    color: str
    material: str
    pattern: str


def draw(garment: Garment, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    """Return an image of a garment.

    Args:
        garment: what it shows.
        size: width and height, in pixels.
        random: decides place, size, angle, light, background and second colours.
    """
    scale = min(1.0, LARGEST / max(size))
    width, height = round(size[0] * scale), round(size[1] * scale)
    pose = _pose(garment, width, height, random)
    planes = _background(width, height, random)
    # Only the part of the image that holds the garment is worth the work.
    left, top, right, bottom = pose.box(extent(garment.class_name), width, height)
    near = pose.moved(-left, -top)
    shape = silhouette(garment.class_name, near, right - left, bottom - top)
    cloth = Cloth(*near.cloth(right - left, bottom - top), random)
    behind = planes[:, top:bottom, left:right]
    front = _clothed(garment, cloth, shape, behind)
    if shape.painted.any():
        front += shape.painted * (shape.paint * _dimmed(shape.tone) - front)
    behind += shape.mask * (front - behind)
    planes *= _column(random.uniform(0.96, 1.04) * (1 + random.uniform(-0.015, 0.015, 3)))
    planes += np.float32(1.6) * grain(random, (height, width))
    np.clip(planes, 0, 255, out=planes)
    image = Image.merge("RGB", [Image.fromarray(plane) for plane in planes.astype(np.uint8)])
    return image if scale == 1 else image.resize(size, Image.Resampling.BICUBIC)


def _pose(garment: Garment, width: int, height: int, random: np.random.Generator) -> Pose:
    room = min(height, width / extent(garment.class_name))
    tall = room * random.uniform(0.74, 0.92)
    spare = width - tall * extent(garment.class_name), height - tall
    middle = (
        width / 2 + spare[0] * random.uniform(-0.3, 0.3),
        height / 2 + spare[1] * random.uniform(-0.3, 0.3),
    )
    return Pose(middle, tall, random.normal(0, 0.06), random.uniform(0.93, 1.06))


def _clothed(garment: Garment, cloth: Cloth, shape: Silhouette, behind: Pixels) -> Pixels:
    """Return the cloth with its colour and light, and what shines through it."""
    base = _rgb(_hex(garment.color))
    base = base + _LEAST * (1 - base / 255)
    made, printed = texture(garment.material, cloth), pattern(garment.pattern, cloth)
    colors = _second_colors(base, cloth.random)
    planes = np.empty_like(behind)
    planes[:] = _column(base)
    for share, number in printed.layers:
        planes += np.asarray(share, np.float32) * (_column(colors[number]) - planes)
    folds = _folds(cloth)
    light = np.float32(0.85) * (made.relief + printed.relief) + np.float32(1)
    light += np.float32(0.10 * made.folds) * folds
    light = np.asarray(light * shape.tone * _roundness(shape.mask), np.float32)
    planes *= light
    planes += 30 * (light - 1)  # black cloth has light and shade too
    if made.gloss:
        shine = np.clip(folds - np.float32(0.25), 0, 1) ** 2 * np.float32(made.gloss)
        planes += np.minimum(shine, np.float32(0.75)) * (250 - planes)
    cover = np.asarray(made.cover * (1 - printed.holes), np.float32)
    if cover.ndim:
        planes += (1 - cover) * (behind - planes)
    return planes


def _folds(cloth: Cloth) -> Pixels:
    """Return soft folds, longer down than across; about -1…1."""
    coarse = cloth.random.uniform(-1.2, 1.2, (4, 9)).astype(np.float32)
    return enlarged(coarse, cloth.u.shape)


def _roundness(mask: Pixels) -> Pixels:
    """Return cloth turns away from the light towards its edges."""
    small = Image.fromarray((mask * 255).astype(np.uint8)).reduce(4)
    soft = np.asarray(small.filter(ImageFilter.BoxBlur(small.height / 75)), np.float32) / 255
    light = np.float32(0.62) + np.float32(0.42) * enlarged(soft, mask.shape)
    return np.asarray(np.clip(light, 0, 1))


def _dimmed(tone: Pixels) -> Pixels:
    return np.float32(0.5) + np.float32(0.5) * np.minimum(tone, np.float32(1.1))


def _column(color: NDArray[np.floating]) -> Pixels:
    return color.astype(np.float32)[:, None, None]


def _hex(color: str) -> str:
    return next(str(colors[color]) for colors in read_words()["color"].values() if color in colors)


def _rgb(text: str) -> Pixels:
    return np.array([int(text[place : place + 2], 16) for place in (1, 3, 5)], np.float32)


def _second_colors(base: Pixels, random: np.random.Generator) -> list[Pixels]:
    """Return the colors that patterns number: contrast, another, light, dark, two fixed ones."""
    text = "#" + "".join(f"{round(float(value)):02x}" for value in base)
    places = lab([text, *_ACCENTS])
    far = np.linalg.norm(places[1:] - places[0], axis=1)
    order = [place for place in random.permutation(len(_ACCENTS)) if far[place] > 38]
    first, second = (_rgb(_ACCENTS[place]) for place in order[:2])
    pale, dark = base + np.float32(0.72) * (248 - base), base * np.float32(0.35)
    if float(base.mean()) > 190:
        pale = base * np.float32(0.72)
    return [first, second, pale, dark, _SUNNY, _INK]


def _background(width: int, height: int, random: np.random.Generator) -> Pixels:
    """Return a wall, a wall with a floor, boards, or something out of focus; 3 × height × width."""
    kind = random.choice(4, p=[0.4, 0.25, 0.15, 0.2])
    color = _scenery(random)
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across, down = random.uniform(-0.1, 0.1, 2).astype(np.float32)
    if kind == 2:
        boards = np.float32(random.integers(4, 9)) * (x + 1)
        x = across * x - 0.25 * (boards % 1 < 0.03) + 0.05 * np.sin(np.floor(boards) * 7)
    else:
        x = across * x
    light = np.asarray(1 + x + down * y, np.float32)
    if kind == 3:
        light += np.float32(0.16) * smooth(random, 6, light.shape)
    planes = np.asarray(light * _column(color))
    if kind == 1:
        floor = int(height * random.uniform(0.72, 0.92))
        planes[:, floor:] = light[floor:] * _column(_scenery(random))
    return planes


def _scenery(random: np.random.Generator) -> Pixels:
    """Return a colour without much of one: walls, floors, paper."""
    lightness = random.choice([random.uniform(215, 250), random.uniform(90, 200)], p=[0.6, 0.4])
    return np.asarray(lightness + random.normal(0, 9, 3), np.float32)
