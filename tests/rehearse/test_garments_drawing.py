"""Drawn garments: what is drawn is what was named."""

import io

import numpy as np
import pytest
from PIL import Image

from adc_core.images.decoding import open_image
from adc_plugins_rehearse.garments.drawing import Garment, draw
from adc_plugins_rehearse.garments.image_files import ODD, encoded, mime_of, near
from adc_plugins_rehearse.garments.materials import TEXTURES
from adc_plugins_rehearse.garments.patterns import PATTERNS
from adc_plugins_rehearse.garments.silhouettes import Pose, shapes, silhouette
from adc_plugins_rehearse.garments.words import class_names, named, values
from adc_plugins_search.terms.colors import lab
from adc_plugins_search.terms.vocabulary import ATTRIBUTES, read_words

COLORS = {name: value for group in read_words()["color"].values() for name, value in group.items()}


def drawn(seed: int = 0, size: tuple[int, int] = (200, 200), **words: str) -> Image.Image:
    plain = {"class_name": "sweater", "color": "navy", "material": "cotton", "pattern": "solid"}
    return draw(Garment(**(plain | words)), size, np.random.default_rng(seed))


def test_everything_in_the_vocabulary_can_be_drawn() -> None:
    assert tuple(shapes()) == class_names()
    assert set(TEXTURES) == set(read_words()["material"])
    assert set(PATTERNS) == set(values("pattern"))
    for number, name in enumerate(values("pattern")):
        drawn(number, (80, 80), pattern=name)
    for number, name in enumerate(values("material")):
        drawn(number, (80, 80), material=name)


def test_an_image_has_the_size_that_was_asked_for_and_is_always_the_same() -> None:
    for size in ((300, 340), (400, 300), (800, 600)):
        assert drawn(3, size).size == size
        assert drawn(3, size).mode == "RGB"
    assert drawn(3).tobytes() == drawn(3).tobytes()
    assert drawn(3).tobytes() != drawn(4).tobytes()


def middle_color(image: Image.Image) -> np.ndarray:
    """The median colour of the garment's chest."""
    pixels = np.asarray(image, float)
    height, width = pixels.shape[:2]
    return np.median(
        pixels[height * 4 // 10 : height * 6 // 10, width * 4 // 10 : width * 6 // 10], axis=(0, 1)
    )


def distances(color: np.ndarray) -> dict[str, float]:
    """How far a colour is from every one of the vocabulary, in CIELAB."""
    text = "#" + "".join(f"{round(float(value)):02x}" for value in color)
    places = lab([text, *COLORS.values()])
    away = np.linalg.norm(places[1:] - places[0], axis=1)
    return dict(zip(COLORS, away, strict=True))


def test_the_color_is_the_one_that_was_named() -> None:
    """Of plain garments: near it in CIELAB, and of the forty names it is among the next three."""
    near_by, away = 0, []
    for number, name in enumerate(COLORS):
        for class_name in ("sweater", "t-shirt", "dress"):
            shown = middle_color(drawn(number, class_name=class_name, color=name))
            ranked = sorted(distances(shown).items(), key=lambda pair: pair[1])
            near_by += name in [other for other, _ in ranked[:3]]
            away.append(dict(ranked)[name])
    assert near_by / len(away) > 0.9
    assert np.median(away) < 10


@pytest.mark.parametrize("name", ["striped", "polka dot", "plaid", "floral", "chevron", "tie-dye"])
def test_a_pattern_shows_a_second_color(name: str) -> None:
    """Within the garment's middle colours differ more than on plain cloth, at every seed."""

    def spread(pattern: str, seed: int) -> float:
        pixels = np.asarray(drawn(seed, pattern=pattern), float)[80:130, 80:120]
        return float(pixels.std(axis=(0, 1)).max())

    for seed in range(4):
        assert spread(name, seed) > 2 * spread("solid", seed)


def test_silhouettes_differ() -> None:
    """No two cover the same: their masks agree in less than nine tenths of what either covers."""
    pose = Pose((100, 100), 160)
    masks = {name: silhouette(name, pose, 200, 200).mask > 0.5 for name in class_names()}
    agreements = {
        (one, other): (masks[one] & masks[other]).sum() / (masks[one] | masks[other]).sum()
        for one in masks
        for other in masks
        if one < other
    }
    # A cardigan covers what a sweater does; its opening is a matter of tone.
    del agreements["knitwear", "sweater"]
    assert max(agreements.values()) < 0.9
    cardigan, sweater = (
        silhouette(name, pose, 200, 200).tone[30:180, 92:108] for name in ("knitwear", "sweater")
    )
    assert np.abs(cardigan - sweater).mean() > 0.15


def test_odd_files_are_read_as_the_image_that_they_hold() -> None:
    garment = drawn(1, (120, 100), color="red")
    for kind in ("jpeg", "png", *ODD):
        data = encoded(garment, kind)
        with Image.open(io.BytesIO(data)) as file:
            assert Image.MIME[file.format] == mime_of(kind)
        read = open_image(data, "it")
        assert read.size == garment.size
        color = "L" if kind in ("grey", "deep") else "RGB"
        wanted = np.asarray(garment.convert(color).convert("RGB"), float)[10:-10, 10:-10]
        assert np.abs(np.asarray(read, float)[10:-10, 10:-10] - wanted).mean() < 6, kind


def test_a_near_duplicate_is_nearly_the_same() -> None:
    garment = drawn(1, (300, 250))
    with Image.open(io.BytesIO(near(garment))) as other:
        assert other.size == (240, 200)
        enlarged = np.asarray(other.resize(garment.size, Image.Resampling.BICUBIC), float)
    assert 1 < np.abs(enlarged - np.asarray(garment, float)).mean() < 12


@pytest.mark.parametrize(
    ("text", "class_name", "found"),
    [
        ("royal blue T-Shirt", "t-shirt", {"color": ("royal blue",)}),
        ("Grey gore tex tshirt", "t-shirt", {"color": ("gray",), "material": ("gore-tex",)}),
        ("navy lace dress", "dress", {"color": ("navy",), "material": ("lace",)}),
        ("silk lace dress", "dress", {"material": ("silk",), "pattern": ("lace",)}),
        ("lace lace dress", "dress", {"material": ("lace",), "pattern": ("lace",)}),
        ("red or pale yellow shirt", "shirt", {"color": ("red", "pale yellow")}),
        ("a man in a fair isle vest", "vest", {"pattern": ("fair isle",)}),
    ],
)
def test_words_of_a_query(text: str, class_name: str, found: dict[str, tuple[str, ...]]) -> None:
    told = named(text)
    assert told.classes == (class_name,)
    assert told.values == {name: found.get(name, ()) for name in ATTRIBUTES}


def test_a_text_may_name_no_class_or_two() -> None:
    assert named("blue silk").classes == ()
    assert named("sweater dress").classes == ("sweater", "dress")
