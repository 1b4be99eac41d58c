"""The shape of a garment as masks: where its cloth is, what shades it, what is on it."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from adc_core.storage import read_config

SHAPES = Path(__file__).with_suffix(".yaml")
_FINER = 2
"""Shapes are drawn so many times larger and then reduced, for smooth edges."""
_ROUNDS = 2
"""How often corners are cut, which makes polygons round."""
_PLAIN = 128
"""The tone that changes nothing."""

_BELOW = 1.02
"""Nothing of a garment is farther down, in heights of it."""

Points = NDArray[np.float64]
Pixels = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Pose:
    """Where a garment is in its image.

    Attributes:
        middle: of the garment, in pixels.
        height: of the garment, in pixels.
        angle: by which it is turned, in radians.
        stretch: its width, as a multiple of what is usual.
    """

    middle: tuple[float, float]
    height: float
    angle: float = 0.0
    stretch: float = 1.0

    def place(self, points: Points) -> Points:
        """Return points of a shape in pixels of the image."""
        across, down = points[:, 0] * self.stretch, points[:, 1] - 0.5
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = np.stack([across * cos - down * sin, across * sin + down * cos], axis=1)
        return np.asarray(turned * self.height + self.middle)

    def box(self, extent: float, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of the part of an image that holds the garment."""
        across, down = extent / 2 + 0.02, _BELOW
        corners = [[-across, -0.02], [across, -0.02], [across, down], [-across, down]]
        places = self.place(np.array(corners))
        (left, top), (right, bottom) = np.floor(places.min(0)), np.ceil(places.max(0))
        return max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom))

    def moved(self, right: float, down: float) -> "Pose":
        """Return the same elsewhere."""
        return replace(self, middle=(self.middle[0] + right, self.middle[1] + down))

    def cloth(self, width: int, height: int) -> tuple[Pixels, Pixels]:
        """Return each pixel's place on the garment: across from its middle, down from its top."""
        x = (np.arange(width, dtype=np.float32) - self.middle[0]) / self.height
        y = (np.arange(height, dtype=np.float32)[:, None] - self.middle[1]) / self.height
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        return (x * cos + y * sin) / np.float32(self.stretch), y * cos - x * sin + np.float32(0.5)


@dataclass(frozen=True)
class Silhouette:
    """A garment without its fabric; all masks are height × width, 0…1.

    Attributes:
        mask: how much of each pixel the garment covers, fringes included.
        tone: what seams, ribs and folds make of the cloth's light; 1 nothing.
        paint: colours of what is not cloth, 0…255, 3 × height × width.
        painted: where that is.
    """

    mask: Pixels
    tone: Pixels
    paint: Pixels
    painted: Pixels


@cache
def shapes() -> dict[str, Any]:
    """Return the shape of every class."""
    return read_config(SHAPES, "the silhouettes")


def extent(class_name: str) -> float:
    """Return the width of a garment, in heights."""
    return max(2 * float(point[0]) for part in shapes()[class_name]["cloth"] for point in part)


def silhouette(class_name: str, pose: Pose, width: int, height: int) -> Silhouette:
    """Return the masks of a garment.

    Args:
        class_name: one of the twelve.
        pose: where it is.
        width: of the image, in pixels.
        height: of the image, in pixels.
    """
    size = (_FINER * width, _FINER * height)
    canvas = _Canvas(pose, size)
    shape = shapes()[class_name]
    for part in shape["cloth"]:
        canvas.cover(_rounded(np.array(part, float)))
    for detail in shape["details"]:
        canvas.add(detail)
    return canvas.masks()


class _Canvas:
    def __init__(self, pose: Pose, size: tuple[int, int]) -> None:
        self._pose = pose
        self._unit = _FINER * pose.height
        self._mask, self._tone = Image.new("L", size), Image.new("L", size, _PLAIN)
        self._paint, self._painted = Image.new("RGB", size), Image.new("L", size)
        self._on_mask, self._on_tone = ImageDraw.Draw(self._mask), ImageDraw.Draw(self._tone)
        self._on_paint = ImageDraw.Draw(self._paint)
        self._on_painted = ImageDraw.Draw(self._painted)

    def cover(self, half: Points) -> None:
        """Return a part of the cloth, over what is there already."""
        whole = self._place(np.concatenate([half, half[::-1] * (-1, 1)]))
        self._on_tone.polygon(whole, _PLAIN)
        self._on_mask.polygon(whole, 255)

    def add(self, detail: dict[str, Any]) -> None:
        """Return something that is on the cloth."""
        points = np.array(detail["points"], float)
        for side in (1,) if detail.get("one_side") else (1, -1):
            self._add(detail, points * (side, 1))

    def _add(self, detail: dict[str, Any], points: Points) -> None:
        if "ribs" in detail:
            self._ribs(points, detail["ribs"])
        elif "fringe" in detail:
            self._fringe(points, detail["fringe"])
        elif "fold" in detail:
            self._stroke(points, 2 * detail["fold"], 0.07)
            self._stroke(_shifted(points, detail["fold"] / 2, 0), detail["fold"] / 2, -0.16)
        elif "dots" in detail:
            for point in points:
                self._dot(point, detail["dots"], detail["paint"])
        elif "line" in detail and "paint" in detail:
            for draw, value in ((self._on_paint, detail["paint"]), (self._on_painted, 255)):
                draw.line(self._place(points), value, self._pixels(detail["line"]), "curve")
        elif "line" in detail:
            self._stroke(_shifted(points, 0.006, 0.004), detail["line"], 0.16)
            self._stroke(points, detail["line"], -0.42)
        elif "paint" in detail:
            self._on_paint.polygon(self._place(points), detail["paint"])
            self._on_painted.polygon(self._place(points), 255)
        else:
            self._on_tone.polygon(self._place(_rounded(points)), _tone(detail["shade"]))

    def _stroke(self, points: Points, width: float, change: float) -> None:
        self._on_tone.line(self._place(points), _tone(change), self._pixels(width), "curve")

    def _ribs(self, corners: Points, count: int) -> None:
        """Return lines across a strip whose first and second corners are its upper edge."""
        upper = np.linspace(corners[0], corners[1], count + 1)
        lower = np.linspace(corners[3], corners[2], count + 1)
        for ends in zip(upper, lower, strict=True):
            self._stroke(np.array(ends), 0.008, -0.30)

    def _fringe(self, edge: Points, length: float) -> None:
        along = np.linspace(0, 1, len(edge))
        for place in np.linspace(0, 1, 30):
            start = np.array([np.interp(place, along, edge[:, axis]) for axis in (0, 1)])
            thread = self._place(np.stack([_shifted(start, 0, -0.01), _shifted(start, 0, length)]))
            self._on_mask.line(thread, 255, self._pixels(0.009))

    def _dot(self, middle: Points, radius: float, color: str) -> None:
        ((x, y),) = self._place(middle[None])
        reach = radius * self._unit
        box = (x - reach, y - reach, x + reach, y + reach)
        self._on_painted.ellipse(box, 255)
        self._on_paint.ellipse(box, color, "#55524c", max(1, round(reach / 6)))

    def _place(self, points: Points) -> list[tuple[float, float]]:
        return [(x, y) for x, y in (_FINER * self._pose.place(points)).tolist()]

    def _pixels(self, width: float) -> int:
        return max(1, round(width * self._unit))

    def masks(self) -> Silhouette:
        """Return what was drawn, at its true size."""
        return Silhouette(
            _float(self._mask.reduce(_FINER)) / 255,
            _float(self._tone.reduce(_FINER)) / _PLAIN,
            np.stack([_float(plane) for plane in self._paint.reduce(_FINER).split()]),
            _float(self._painted.reduce(_FINER)) / 255,
        )


def _float(image: Image.Image) -> Pixels:
    return np.asarray(image, np.float32)


def _shifted(points: Points, across: float, down: float) -> Points:
    return np.asarray(points + np.array([across, down]))


def _tone(change: float) -> int:
    return min(255, max(0, round(_PLAIN * (1 + change))))


def _rounded(points: Points) -> Points:
    """Return corners cut (Chaikin, 1974); the ends stay."""
    for _ in range(_ROUNDS):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.85 * before + 0.15 * after, 0.15 * before + 0.85 * after], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points
