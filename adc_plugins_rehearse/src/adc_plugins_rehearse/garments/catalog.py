"""Drawn garments as a web search would find them, any number of them, without any memory.

Whatever is true of an offer follows from its address: the address is a number in disguise, the
number says for which words the offer is an answer and which, and a generator seeded with that
decides the rest.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from zlib import crc32

import numpy as np
from PIL import Image

from adc_core import InputError
from adc_plugins_rehearse.catalog import SUFFIX_OF, Catalog, Offer
from adc_plugins_rehearse.conditions import CLOSED
from adc_plugins_rehearse.flaws import Flaws
from adc_plugins_rehearse.garments.drawing import Garment, draw
from adc_plugins_rehearse.garments.image_files import COLORLESS, encoded, mime_of, near
from adc_plugins_rehearse.garments.stock import (
    ADDRESS,
    IMAGE,
    MAX_ANSWERS,
    SEARCH,
    TEST,
    Combination,
    Slot,
    Stock,
    size_of,
)
from adc_plugins_rehearse.garments.words import PLAIN, class_names, named
from adc_plugins_search.terms import ATTRIBUTES

_SPACE = 2**36


class GarmentCatalog(Catalog):
    """Drawn garments of twelve classes in the colours, materials and patterns of the vocabulary.

    A query is answered when it names one class. What else it names in the vocabulary's words must
    be so, save for the flaws; of two values of one attribute either will do, and an attribute that
    is not named may be anything, but a pattern that is not named is plain. The texts of the
    designer `vocabulary` with the same `values_per_attribute` name every combination that `offers`
    has.

    Args:
        seed: of all that is drawn; the same seed gives the same addresses and bytes.
        answers: offers for a combination of words that is not rare, at most 1000.
        values_per_attribute: of each class, among those of which the truth is known.
        classes: those that are shown; without any all twelve.
        flaws: what is wrong with it.
        tested: images of each class in the test set.

    Raises:
        InputError: a class is unknown, or a number is out of range.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        answers: int = 100,
        values_per_attribute: int = 10,
        classes: Sequence[str] = (),
        flaws: Flaws | None = None,
        tested: int = 50,
    ) -> None:
        self.flaws = Flaws() if flaws is None else flaws
        self._seed, self._answers, self._tested = seed, answers, tested
        known = class_names()
        self._classes = tuple(classes) or known
        if strange := [name for name in self._classes if name not in known]:
            raise InputError(f"no garment is called {strange[0]!r}, but {', '.join(known)}")
        if not (1 <= answers <= MAX_ANSWERS and values_per_attribute >= 1 and seed >= 0):
            raise InputError(
                f"answers must be in 1…{MAX_ANSWERS}, values_per_attribute 1 or more, "
                "seed 0 or more"
            )
        if self.flaws.noise and len(self._classes) < 2:
            raise InputError("one class alone cannot be mistaken for another: give noise 0")
        self._stock = Stock(seed, answers, values_per_attribute, self._classes, self.flaws)
        random = np.random.default_rng([seed, 0, 0, ADDRESS])
        self._factor = 2 * int(random.integers(_SPACE // 8, _SPACE // 2)) + 1
        self._shift = int(random.integers(_SPACE))
        self._found = lru_cache(64)(self._find_all)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that are shown."""
        return self._classes

    @property
    def attributes(self) -> tuple[str, ...]:
        """Colour, material and pattern."""
        return ATTRIBUTES

    def offers(self) -> Iterator[Offer]:
        """Return the offers for every combination of the usual words of each class."""
        for name in self._classes:
            place = self._stock.names.index(name)
            for rest in product(*self._stock.usual[place]):
                for slot in self._stock.slots((place, *rest)):
                    if slot.repeats != "shared":
                        yield self._offer(slot)

    def find(self, path: str) -> Offer | None:
        """Return the offer with an address."""
        slot = self._slot_of(path)
        offer = None if slot is None else self._offer(slot)
        return offer if offer is not None and offer.path == path else None

    def search(self, text: str) -> Sequence[Offer]:
        """Return the offers for the one class that a query names; none for none or two."""
        return self._found(text)

    def content(self, offer: Offer) -> bytes:
        """Return the image, drawn anew."""
        slot = self._slot_of(offer.path)
        assert slot is not None
        if slot.source is None:
            return encoded(self._image(slot), slot.kind)
        if slot.repeats == "near":
            return near(self._image(slot.source))
        return encoded(self._image(slot.source), slot.source.kind)

    def test_images(self) -> Iterator[tuple[str, str, bytes]]:
        """Return images of each class without flaws, as JPEG."""
        for name in self._classes:
            place = self._stock.names.index(name)
            for number in range(self._tested):
                random = np.random.default_rng([self._seed, place, number, TEST])
                rest = (int(random.choice(usual)) for usual in self._stock.usual[place])
                garment = self._garment((place, *rest))
                image = draw(garment, size_of(random.random(3).tolist()), random)
                yield name, f"{number:04d}.jpg", encoded(image, "jpeg")

    def _find_all(self, text: str) -> tuple[Offer, ...]:
        words_of_query = named(text)
        if len(words_of_query.classes) != 1 or words_of_query.classes[0] not in self._classes:
            return ()
        place = self._stock.names.index(words_of_query.classes[0])
        ways = []
        for number, attribute in enumerate(ATTRIBUTES):
            words = words_of_query.values[attribute] or ((PLAIN,) if attribute == "pattern" else ())
            known = self._stock.words[attribute]
            ways.append([known.index(word) for word in words] or self._stock.usual[place][number])
        combinations = [(place, *rest) for rest in product(*ways)]
        random = np.random.default_rng([self._seed, crc32(text.encode()), 0, SEARCH])
        slots = [self._stock.slots(combination) for combination in combinations]
        found: dict[str, Offer] = {}
        # Several combinations are mixed, as an engine would, each in its own order.
        while slots and len(found) < self._answers:
            chosen = int(random.integers(len(slots)))
            slot = next(slots[chosen], None)
            if slot is None:
                del slots[chosen]
                continue
            offer = self._offer(slot)
            found[offer.path] = offer
        return tuple(found.values())

    def _offer(self, slot: Slot) -> Offer:
        if slot.repeats == "shared":
            assert slot.source is not None
            slot = slot.source
        asked, shown = self._garment(slot.combination), self._garment(slot.shown)
        mime = mime_of(slot.kind)
        truth = {"color": shown.color, "material": shown.material, "pattern": shown.pattern}
        if slot.kind in COLORLESS:
            del truth["color"]
        folder = CLOSED if slot.condition == "closed" else "pictures"
        number = self._stock.number(slot.combination) * MAX_ANSWERS + slot.rank
        path = f"{folder}/{(number * self._factor + self._shift) % _SPACE:09x}{SUFFIX_OF[mime]}"
        words = (asked.color, asked.material, asked.pattern, asked.class_name)
        title = " ".join(word for word in words if word != PLAIN).capitalize()
        return Offer(path, title, shown.class_name, mime, slot.size, slot.condition, truth)

    def _image(self, slot: Slot) -> Image.Image:
        number = self._stock.number(slot.combination)
        random = np.random.default_rng([self._seed, number, slot.rank, IMAGE])
        return draw(self._garment(slot.shown), slot.size, random)

    def _garment(self, combination: Combination) -> Garment:
        words = [
            self._stock.words[attribute][place]
            for attribute, place in zip(ATTRIBUTES, combination[1:], strict=True)
        ]
        return Garment(self._stock.names[combination[0]], *words)

    def _slot_of(self, path: str) -> Slot | None:
        """Return the slot behind an address, if there is one behind it."""
        token = path.rpartition("/")[2].partition(".")[0]
        if len(token) != 9 or not set(token) <= set("0123456789abcdef"):
            return None
        number = (int(token, 16) - self._shift) * pow(self._factor, -1, _SPACE) % _SPACE
        slot = self._stock.at(number)
        return None if slot is None or slot.repeats == "shared" else slot
