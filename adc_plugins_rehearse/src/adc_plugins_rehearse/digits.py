"""Scanned handwritten digits as a web search would find them: some wrong, some broken."""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adc_core import InputError
from adc_plugins_rehearse.catalog import SUFFIX_OF, Catalog, Offer
from adc_plugins_rehearse.conditions import Condition
from adc_plugins_search.terms import words

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PIXELS = 64
ANSWER = 100
"""Offers per class: as many as the search protocol shows for one query."""
FAULTS: dict[Condition, int] = {"slow": 1, "broken": 2, "page": 1, "gone": 2}
"""How many offers of each class do not simply answer."""
REPEATED = {"own": 1, "other": 1}
"""How many offers of each class show the bytes of another offer of this, or of another class."""
MAX_HELD_BACK = 0.4
"""Of 174 digits in the smallest class, at least the 98 different ones of an answer are left."""


class DigitCatalog(Catalog):
    """The 1,797 digits that scikit-learn carries (Alpaydin and Kaynak, 1998), enlarged.

    A query that holds the name of a digit, such as "handwritten three", is answered with 100
    offers. Of the images behind them the share `noise` shows another digit; which ones is drawn
    at random, weighted towards the digits that are nearest in pixel space to one of that class. Two
    offers repeat the bytes of another, and a few are broken, slow, missing or no image at all. A
    share of every class is held back for a test set.

    Args:
        seed: of all that is drawn; the same seed gives the same addresses and bytes.
        noise: share of wrong images in an answer.
        held_back: share of every class that no answer shows.

    Raises:
        InputError: scikit-learn is not installed.
        ValueError: too many images are held back, or `noise` is no share.
    """

    def __init__(self, seed: int = 0, noise: float = 0.2, held_back: float = 0.3) -> None:
        self._pixels, self._truth = _load()
        self._random = np.random.default_rng(seed)
        if not (0 <= noise <= 1 and 0 <= held_back <= MAX_HELD_BACK):
            raise ValueError(f"noise must be in 0…1 and held_back in 0…{MAX_HELD_BACK}")
        self._test = self._hold_back(held_back)
        self._image_of: dict[str, int] = {}
        self._answers = self._compose(noise)
        self._offer_of = {offer.path: offer for offer in self.offers()}

    @property
    def classes(self) -> tuple[str, ...]:
        """zero to nine."""
        return NAMES

    def offers(self) -> Iterator[Offer]:
        """Return the offers of all classes, class by class."""
        return (offer for answer in self._answers for offer in answer)

    def find(self, path: str) -> Offer | None:
        """Return the offer with an address."""
        return self._offer_of.get(path)

    def search(self, text: str) -> tuple[Offer, ...]:
        """Return the offers for the one digit that a query names; none for none or two."""
        named = [digit for digit, name in enumerate(NAMES) if name in words(text)]
        return self._answers[named[0]] if len(named) == 1 else ()

    def content(self, offer: Offer) -> bytes:
        """Return the image in its format."""
        return self._encoded(self._image_of[offer.path], offer.mime)

    def test_images(self) -> Iterator[tuple[str, str, bytes]]:
        """Return the digits that were held back, as PNG."""
        for row in np.flatnonzero(self._test):
            yield NAMES[self._truth[row]], f"{row:04d}.png", self._encoded(int(row), "image/png")

    def _hold_back(self, share: float) -> NDArray[np.bool_]:
        held = np.zeros(len(self._truth), bool)
        for digit in range(len(NAMES)):
            rows = np.flatnonzero(self._truth == digit)
            count = round(share * len(rows))
            held[self._random.choice(rows, count, replace=False)] = True
        return held

    def _compose(self, noise: float) -> list[tuple[Offer, ...]]:
        distinct = ANSWER - sum(REPEATED.values())
        wrong = self._draw_wrong(round(noise * distinct), spare=distinct - round(noise * distinct))
        taken = np.concatenate(wrong)
        shown: list[NDArray[np.int64]] = []
        for digit in range(len(NAMES)):
            own = np.setdiff1d(np.flatnonzero(~self._test & (self._truth == digit)), taken)
            right = self._random.choice(own, distinct - len(wrong[digit]), replace=False)
            shown.append(self._random.permutation(np.concatenate([wrong[digit], right])))
        numbers = iter(self._random.permutation(len(NAMES) * ANSWER))
        return [self._answer(digit, shown, numbers) for digit in range(len(NAMES))]

    def _draw_wrong(self, count: int, spare: int) -> list[NDArray[np.int64]]:
        """Return for each digit, images of other digits that look like it; no image twice.

        No digit gives away so many that fewer than `spare` of its own are left.
        """
        shown = np.flatnonzero(~self._test)
        pixels, truth = self._pixels[shown].astype(np.float64), self._truth[shown]
        squares = (pixels**2).sum(1)
        distance = squares[:, None] + squares - 2 * pixels @ pixels.T
        left = np.bincount(truth, minlength=len(NAMES)) - spare
        free = np.ones(len(shown), bool)
        drawn: list[list[int]] = [[] for _ in NAMES]
        for _ in range(count):
            for digit in range(len(NAMES)):
                candidates = np.flatnonzero(free & (truth != digit) & (left[truth] > 0))
                nearest = distance[candidates][:, truth == digit].min(1)
                weight = np.exp(-3 * (nearest - nearest.min()) / nearest.std())
                chosen = self._random.choice(candidates, p=weight / weight.sum())
                free[chosen] = False
                left[truth[chosen]] -= 1
                drawn[digit].append(shown[chosen])
        return [np.array(rows, np.int64) for rows in drawn]

    def _answer(
        self, digit: int, shown: list[NDArray[np.int64]], numbers: Iterator[int]
    ) -> tuple[Offer, ...]:
        faults: list[Condition] = [name for name, count in FAULTS.items() for _ in range(count)]
        conditions = faults + ["good"] * (ANSWER - len(faults))
        good = [rows_of[len(faults) :] for rows_of in shown]
        others = np.concatenate(good[:digit] + good[digit + 1 :])
        rows = np.concatenate(
            [
                shown[digit],
                self._random.choice(good[digit], REPEATED["own"]),
                self._random.choice(others, REPEATED["other"]),
            ]
        )
        order = self._random.permutation(ANSWER)
        return tuple(
            self._offer(digit, int(rows[place]), conditions[place], next(numbers))
            for place in order
        )

    def _offer(self, digit: int, row: int, condition: Condition, number: int) -> Offer:
        # One format for each image, so that its repetitions have the same bytes.
        mime = "image/png" if row % 4 == 0 else "image/jpeg"
        path = f"pictures/{number:04d}{SUFFIX_OF[mime]}"
        self._image_of[path] = row
        truth = NAMES[self._truth[row]]
        title = f"Handwritten {NAMES[digit]}"
        return Offer(path, title, truth, mime, (PIXELS, PIXELS), condition)

    def _encoded(self, row: int, mime: str) -> bytes:
        ink = self._pixels[row].reshape(8, 8) * (255 / 16)
        image = Image.fromarray((255 - ink).round().astype(np.uint8))
        image = image.resize((PIXELS, PIXELS), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        image.save(file, "PNG" if mime == "image/png" else "JPEG", quality=92)
        return file.getvalue()


def _load() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputError(
            "the gallery needs scikit-learn for its images: "
            'pip install "adc-plugins-rehearse[digits]"'
        ) from None
    pixels, truth = load_digits(return_X_y=True)
    return pixels, truth.astype(np.int64)
