"""The garments' catalog: any size, the same every time, and as faulty as its knobs say."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adc_core import read_dataset
from adc_core.errors import InputError
from adc_core.records.design import Brief, Query
from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.conditions import CONDITIONS, WITHOUT_IMAGE
from adc_plugins_rehearse.export import export_answers
from adc_plugins_rehearse.flaws import CLEAN, LOOKALIKES, Flaws
from adc_plugins_rehearse.garments.catalog import GarmentCatalog
from adc_plugins_search.designers.vocabulary import VocabularyDesigner

ALONE = {"noise": 0.0, "wrong_attributes": 0.0, "tail": 0.0}


def queries(each: int, *classes: str) -> Sequence[Query]:
    brief = Brief(subject="garments", classes=classes)
    return VocabularyDesigner(values_per_attribute=each).design(brief).queries


def test_the_designers_queries_find_what_the_truth_tells_of() -> None:
    """Each query of the same vocabulary finds some; together they find every offer."""
    catalog = GarmentCatalog(values_per_attribute=2, answers=20)
    found = {offer.path: offer for query in queries(2) for offer in catalog.search(query.text)}
    told = {offer.path: offer for offer in catalog.offers()}
    assert found == told
    assert len(queries(2)) == 96
    assert all(catalog.find(path) == offer for path, offer in told.items())


def test_an_address_tells_nothing_and_everything() -> None:
    catalog = GarmentCatalog(values_per_attribute=1, answers=10)
    offer = next(catalog.offers())
    again = GarmentCatalog(values_per_attribute=1, answers=10)
    assert again.find(offer.path) == offer
    assert again.content(offer) == catalog.content(offer)
    assert list(again.offers()) == list(catalog.offers())
    assert next(again.test_images()) == next(catalog.test_images())
    for path in (
        "pictures/000000000.jpg", "pictures/zzzzzzzzz.jpg", "pictures/1.jpg", "favicon.ico",
        offer.path.replace("pictures", "other"), offer.path[:-4] + ".gif", "",
    ):  # fmt: skip
        assert catalog.find(path) is None


def test_another_seed_shows_other_things() -> None:
    one, other = GarmentCatalog(values_per_attribute=1), GarmentCatalog(1, values_per_attribute=1)
    paths = {offer.path for offer in one.offers()}
    assert paths.isdisjoint(offer.path for offer in other.offers())
    assert next(one.test_images())[2] != next(other.test_images())[2]


def test_more_answers_leave_the_first_ones_as_they_are() -> None:
    few, many = GarmentCatalog(answers=20, flaws=CLEAN), GarmentCatalog(flaws=CLEAN)
    text = "navy wool fisherman sweater"
    assert few.search(text) == many.search(text)[:20]
    assert len(many.search(text)) == 100


@pytest.fixture(scope="module")
def offers() -> list[tuple[Query, Offer]]:
    """Some 19,000 offers, each with its query."""
    catalog = GarmentCatalog(values_per_attribute=3)
    some = queries(3)[::2][:200]
    return [(query, offer) for query in some for offer in catalog.search(query.text)]


def source_of(catalog: GarmentCatalog, offer: Offer) -> object:
    """What is the same for exact copies: the place in the catalog that an image comes from."""
    slot = catalog._slot_of(offer.path)
    return slot.source if slot.repeats == "copies" else slot


def within(count: int, total: int, share: float) -> bool:
    """Whether a count is what a share makes likely: less than four deviations away."""
    return abs(count - share * total) < 4 * (total * share * (1 - share)) ** 0.5


def test_wrong_classes_are_as_many_as_said_and_look_alike(offers) -> None:
    wrong = Counter(
        (query.class_name, offer.label)
        for query, offer in offers
        if query.class_name != offer.label
    )
    assert within(sum(wrong.values()), len(offers), 0.27)
    for asked, shown in wrong:
        assert shown in LOOKALIKES[asked]
    assert wrong["sweater", "knitwear"] > 1.5 * wrong["sweater", "hoodie"]


def test_wrong_attributes_are_as_many_as_said(offers) -> None:
    for name in ("color", "material", "pattern"):
        told = [
            offer.attributes[name] == query.attributes[name]
            for query, offer in offers
            if query.class_name == offer.label and name in offer.attributes
        ]
        # Addresses that are shared with another query are wrong in a word.
        assert 0.045 < 1 - np.mean(told) < 0.06


def test_conditions_are_as_frequent_as_said(offers) -> None:
    counts = Counter(offer.condition for _, offer in offers)
    for name, share in Flaws().conditions.items():
        assert within(counts[name], len(offers), share), name


def test_as_many_images_are_left_as_the_paper_had(offers) -> None:
    """89.73 of 100 for each of 12,000 queries: found, to be had, and not found before."""
    catalog = GarmentCatalog(values_per_attribute=3)
    lost = sum(Flaws().conditions.values()) - Flaws().conditions["slow"] + 0.005 + 0.006
    paths = {
        offer.path: source_of(catalog, offer)
        for _, offer in offers
        if offer.condition not in WITHOUT_IMAGE
    }
    assert within(len(set(paths.values())), len(offers), 1 - lost)
    kept = []
    for seed in range(4):
        catalog = GarmentCatalog(seed)
        counts = [
            catalog._stock.count((place, *rest))
            for place, usual in enumerate(catalog._stock.usual)
            for rest in product(*usual)
        ]
        assert len(counts) == 12_000
        kept.append((1 - lost) * np.mean(counts))
    assert 88.5 < min(kept) < 89.73 < max(kept) < 91.5


def test_rare_combinations_find_fewer_images_or_none() -> None:
    catalog = GarmentCatalog(flaws=replace(CLEAN, tail=0.3))
    counts = np.array([len(catalog.search(query.text)) for query in queries(4)])
    assert 0.25 < np.mean(counts < 100) < 0.35
    assert 0.002 < np.mean(counts == 0) < 0.1
    # What nobody wears is rare everywhere; without a word more is found.
    assert len(catalog.search("pvc aran underwear")) < 100
    text = next(query.text for query, count in zip(queries(4), counts, strict=True) if count < 50)
    relaxed = " ".join(text.split()[-1:])
    assert len(catalog.search(relaxed)) == 100


def test_a_word_that_is_not_named_may_be_anything() -> None:
    found = GarmentCatalog(flaws=CLEAN).search("grey sweater")
    assert {offer.attributes["color"] for offer in found} == {"gray"}
    assert {offer.attributes["pattern"] for offer in found} == {"solid"}
    assert len({offer.attributes["material"] for offer in found}) > 4
    assert GarmentCatalog().search("navy silk") == ()
    assert GarmentCatalog().search("sweater dress") == ()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_copies_have_the_bytes_of_an_image_that_is_found_too() -> None:
    catalog = GarmentCatalog(values_per_attribute=1, answers=12, flaws=replace(CLEAN, copies=0.25))
    found = catalog.search(queries(1, "dress")[0].text)
    counts = Counter(digest(catalog.content(offer)) for offer in found)
    copies = [offer for offer in found if catalog._slot_of(offer.path).repeats == "copies"]
    assert len(found) - len(counts) == len(copies) > 0


def test_near_duplicates_are_of_an_image_that_is_found_too() -> None:
    catalog = GarmentCatalog(values_per_attribute=1, answers=12, flaws=replace(CLEAN, near=0.25))
    found = catalog.search(queries(1, "dress")[0].text)
    small = {
        offer.path: np.asarray(
            Image.open(io.BytesIO(catalog.content(offer))).convert("L").resize((24, 24)), float
        )
        for offer in found
    }
    repeated = [offer for offer in found if catalog._slot_of(offer.path).repeats == "near"]
    assert repeated
    for offer in repeated:
        others = [small[other.path] for other in found if other not in repeated]
        away = sorted(np.abs(small[offer.path] - other).mean() for other in others)
        assert away[0] < 12 < away[1]


def test_a_shared_address_is_right_for_another_query() -> None:
    catalog = GarmentCatalog(values_per_attribute=2, flaws=replace(CLEAN, shared=0.1))
    found = [(query, o) for query in queries(2) for o in catalog.search(query.text)]
    times = Counter(offer.path for _, offer in found)
    twice = sum(count > 1 for count in times.values())
    assert within(len(found) - len(times), len(found), 0.1)
    assert twice > 0.05 * len(times)
    for query, offer in found:
        asked = {**query.attributes, "class": query.class_name}
        shown = {**offer.attributes, "class": offer.label}
        assert sum(asked[name] != shown[name] for name in asked) <= 1


def test_odd_files_are_as_frequent_as_said() -> None:
    catalog = GarmentCatalog(values_per_attribute=2, flaws=replace(CLEAN, odd=0.2))
    kinds = Counter(catalog._slot_of(offer.path).kind for offer in catalog.offers())
    total = sum(kinds.values())
    for kind in ("turned", "grey", "palette", "deep", "alpha"):
        assert within(kinds[kind], total, 0.04)
    colorless = sum("color" not in offer.attributes for offer in catalog.offers())
    assert colorless == kinds["grey"] + kinds["deep"]


def test_a_few_classes_are_mistaken_for_each_other_only() -> None:
    catalog = GarmentCatalog(values_per_attribute=2, classes=["shawl", "suit"])
    assert catalog.classes == ("shawl", "suit")
    assert {offer.label for offer in catalog.offers()} == {"shawl", "suit"}
    assert catalog.search("navy wool vest") == ()
    assert {label for label, _, _ in islice(catalog.test_images(), 51)} == {"shawl", "suit"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ["hat"]}, "no garment is called 'hat', but sweater, knitwear, "),
        (
            {"answers": 0},
            "answers must be in 1…1000, values_per_attribute 1 or more, seed 0 or more",
        ),
        (
            {"values_per_attribute": 0},
            "answers must be in 1…1000, values_per_attribute 1 or more, seed 0 or more",
        ),
        ({"classes": ["suit"]}, "one class alone cannot be mistaken for another: give noise 0"),
    ],
)
def test_what_cannot_be_shown(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as raised:
        GarmentCatalog(**options)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("shares", [{"noise": 1.1}, {"copies": -0.1}, {"conditions": {"gone": 1}}])
def test_shares_that_cannot_be(shares: dict[str, object]) -> None:
    with pytest.raises(InputError) as raised:
        Flaws(**shares)
    assert str(raised.value) == (
        "shares must be in 0…1, those of conditions and copies together too"
    )


def test_a_condition_that_is_not_known() -> None:
    with pytest.raises(InputError) as raised:
        Flaws(conditions={"rude": 0.1})
    assert str(raised.value) == f"there is no condition 'rude', but {', '.join(CONDITIONS)}"


def test_the_export_tells_what_is_true(tmp_path: Path) -> None:
    catalog = GarmentCatalog(values_per_attribute=2, answers=5, tested=2)
    export_answers(catalog, lambda offer: f"http://x/{offer.path}", tmp_path)
    with (tmp_path / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = [offer for offer in catalog.offers() if offer.condition not in WITHOUT_IMAGE]
    assert len(rows) == len(shown) == len({row["url"] for row in rows})
    for row, offer in zip(rows, shown, strict=True):
        assert row["url"] == f"http://x/{offer.path}"
        assert row["label"] == offer.label
        assert row["color"] == offer.attributes.get("color", "")
        assert row["material"] == offer.attributes["material"]
        assert row["pattern"] == offer.attributes["pattern"]
    test = read_dataset(tmp_path / "test")
    assert set(test.classes) == set(catalog.classes)
    assert len(test) == 24
