"""The gallery: what it shows, how its search engine answers, and the command around it."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import urllib3
from PIL import Image
from sklearn.datasets import load_digits

from adc_core import read_dataset
from adc_core.components.context import work_context
from adc_core.errors import InputError, WorkError
from adc_core.records.design import Brief, Query
from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.digits import NAMES, DigitCatalog
from adc_plugins_rehearse.protocols.google import ENGINE, KEY
from adc_plugins_rehearse.server import GalleryServer
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.designers.attributes import AttributeDesigner
from adc_plugins_search.searchers.google import GoogleSearcher

THREE = Query(text="handwritten three", class_name="three")


@pytest.fixture(scope="module")
def catalog() -> DigitCatalog:
    return DigitCatalog()


@pytest.fixture(scope="module")
def gallery(catalog: DigitCatalog) -> Iterator[GalleryServer]:
    with GalleryServer(catalog, port=0, slow_seconds=0.2) as server:
        yield server


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_CSE_ID", ENGINE)


def test_an_answer_has_a_hundred_offers_with_a_fifth_wrong(catalog: DigitCatalog) -> None:
    for name in NAMES:
        answer = catalog.search(f"handwritten {name}")
        conditions = Counter(offer.condition for offer in answer)
        assert conditions == {"good": 94, "slow": 1, "broken": 2, "page": 1, "gone": 2}
        shown = [offer for offer in answer if offer.condition in ("good", "slow")]
        wrong = np.mean([offer.label != name for offer in shown])
        assert 0.17 < wrong < 0.25
        assert {offer.title for offer in answer} == {f"Handwritten {name}"}
    assert len({offer.path for offer in catalog.offers()}) == 1000


def test_a_query_names_one_digit(catalog: DigitCatalog) -> None:
    assert catalog.search("THREE, handwritten!") == catalog.search("handwritten three")
    for text in ("handwritten", "three or four", "threes"):
        assert catalog.search(text) == ()


def test_everything_is_the_same_every_time(catalog: DigitCatalog) -> None:
    again = DigitCatalog()
    assert list(again.offers()) == list(catalog.offers())
    assert list(map(again.content, again.offers())) == list(map(catalog.content, catalog.offers()))
    assert list(again.test_images()) == list(catalog.test_images())
    assert list(DigitCatalog(seed=1).offers()) != list(catalog.offers())


def test_repeated_images_have_the_same_bytes(catalog: DigitCatalog) -> None:
    classes = {}
    for name in NAMES:
        for offer in catalog.search(name):
            if offer.condition == "good":
                digest = hashlib.sha256(catalog.content(offer)).digest()
                classes.setdefault(digest, []).append(name)
    repeated = [names for names in classes.values() if len(names) > 1]
    assert 15 <= sum(len(names) - 1 for names in repeated) <= 20
    assert any(len(set(names)) == 1 for names in repeated)
    assert any(len(set(names)) == 2 for names in repeated)


PIXELS, TRUTH = load_digits(return_X_y=True)


def row_behind(content: bytes) -> int:
    """Which of the scanned digits an image shows."""
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (64, 64)
        large = np.asarray(image, float)
    # A scanned value stands in the middle of eight by eight pixels, between four of them.
    middle = (large[3::8, 3::8] + large[4::8, 3::8] + large[3::8, 4::8] + large[4::8, 4::8]) / 4
    ink = (255 - middle.ravel()) * 16 / 255
    return int(((ink - PIXELS) ** 2).sum(1).argmin())


def whole(offers: tuple[Offer, ...]) -> list[Offer]:
    return [offer for offer in offers if offer.condition in ("good", "slow")]


def test_images_are_the_real_digits_enlarged(catalog: DigitCatalog) -> None:
    for label, name, content in catalog.test_images():
        row = row_behind(content)
        assert name == f"{row:04}.png"
        assert label == NAMES[TRUTH[row]]
    for offer in whole(tuple(catalog.offers())):
        assert offer.label == NAMES[TRUTH[row_behind(catalog.content(offer))]]


def test_wrong_digits_look_alike(catalog: DigitCatalog) -> None:
    """Wrong digits are nearer to the class that they pose as than digits in general are."""

    def nearest(rows: list[int], digit: int) -> float:
        distances = ((PIXELS[rows][:, None] - PIXELS[digit == TRUTH]) ** 2).sum(2)
        return float(distances.min(1).mean())

    for digit, name in enumerate(NAMES):
        wrong = [offer for offer in whole(catalog.search(name)) if offer.label != name]
        rows = [row_behind(catalog.content(offer)) for offer in wrong]
        others = np.flatnonzero(digit != TRUTH).tolist()
        assert nearest(rows, digit) < 0.75 * nearest(others, digit)


def test_the_test_set_is_never_offered(catalog: DigitCatalog) -> None:
    held_back = {int(name[:4]) for _, name, _ in catalog.test_images()}
    shown = {row_behind(catalog.content(offer)) for offer in whole(tuple(catalog.offers()))}
    assert held_back.isdisjoint(shown)
    counts = Counter(label for label, _, _ in catalog.test_images())
    assert counts == {
        name: round(0.3 * np.count_nonzero(digit == TRUTH)) for digit, name in enumerate(NAMES)
    }


@pytest.mark.parametrize("options", [{"noise": 1.1}, {"held_back": 0.5}])
def test_shares_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"^noise must be in 0…1 and held_back in 0…0\.4$"):
        DigitCatalog(**options)


@pytest.mark.parametrize(("noise", "held_back"), [(0, 0), (1, 0.4), (0.5, 0.4), (0, 0.4)])
def test_any_shares_give_full_answers(noise: float, held_back: float) -> None:
    catalog = DigitCatalog(noise=noise, held_back=held_back)
    for name in NAMES:
        answer = catalog.search(name)
        assert len(answer) == 100
        found = np.mean([offer.label != name for offer in answer])
        assert abs(found - noise) < 0.05


def ask(gallery: GalleryServer, **parameters: str | None) -> tuple[int, dict]:
    given = {"key": KEY, "cx": ENGINE, "q": "three", "searchType": "image"} | parameters
    fields = {name: value for name, value in given.items() if value is not None}
    answer = urllib3.request("GET", gallery.search_url, fields=fields, retries=False)
    return answer.status, json.loads(answer.data)


def test_the_protocol_pages_as_google_does(gallery: GalleryServer) -> None:
    status, first = ask(gallery)
    assert status == 200
    assert first["kind"] == "customsearch#search"
    assert len(first["items"]) == 10
    assert first["queries"]["request"][0]["totalResults"] == "100"
    assert first["queries"]["nextPage"][0]["startIndex"] == 11
    _, last = ask(gallery, start="91")
    assert len(last["items"]) == 10
    assert "nextPage" not in last["queries"]
    _, few = ask(gallery, start="4", num="3")
    assert [item["link"] for item in few["items"]] == [item["link"] for item in first["items"][3:6]]
    _, nothing = ask(gallery, q="zebra")
    assert "items" not in nothing


@pytest.mark.parametrize(
    ("parameters", "status", "message"),
    [
        ({"key": None}, 403, "The request is missing a valid API key."),
        ({"key": "x"}, 400, "API key not valid. Please pass a valid API key."),
        ({"cx": None}, 400, "Request contains an invalid argument."),
        ({"cx": "x"}, 400, "Request contains an invalid argument."),
        ({"q": ""}, 400, "Request contains an invalid argument."),
        ({"searchType": None}, 400, "Request contains an invalid argument."),
        ({"num": "11"}, 400, "Request contains an invalid argument."),
        ({"num": "0"}, 400, "Request contains an invalid argument."),
        ({"start": "92"}, 400, "Request contains an invalid argument."),
        ({"start": "0"}, 400, "Request contains an invalid argument."),
        ({"start": "x"}, 400, "Request contains an invalid argument."),
    ],
)
def test_the_protocol_refuses_as_google_does(
    gallery: GalleryServer, parameters: dict[str, str | None], status: int, message: str
) -> None:
    answered, body = ask(gallery, **parameters)
    assert answered == status
    assert body["error"]["code"] == status
    assert body["error"]["message"] == message
    assert body["error"]["errors"][0]["message"] == message


def test_the_google_searcher_understands_its_refusals(
    gallery: GalleryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = GoogleSearcher(base_url=gallery.search_url)
    monkeypatch.setenv("GOOGLE_CSE_ID", "wrong")
    with pytest.raises(InputError, match="check GOOGLE_CSE_ID and GOOGLE_API_KEY"):
        searcher.page(THREE)
    monkeypatch.setenv("GOOGLE_API_KEY", "wrong")
    with pytest.raises(InputError, match=r"API key not valid.*check GOOGLE_API_KEY"):
        searcher.page(THREE)


def test_the_quota_is_a_days(catalog: DigitCatalog, tmp_path: Path, design_of) -> None:
    """What a used-up quota leaves unsearched is searched when there is quota again."""
    with GalleryServer(catalog, port=0, quota=15) as server:
        searcher = GoogleSearcher(base_url=server.search_url)
        collector = Downloader(allow_hosts=(server.endpoint,), max_concurrent_searches=1)
        design = design_of("three", "four")
        with work_context(tmp_path), pytest.raises(WorkError) as raised:
            collector.collect(design, [searcher])
        assert "longer than max_wait: 1 of 2 searches are done and kept" in str(raised.value)
        server.google.quota = 20
        with work_context(tmp_path):
            assert len(collector.collect(design, [searcher])) > 180
        assert server.google.calls == 20


def test_the_demo_collects_what_the_truth_knows(gallery: GalleryServer, tmp_path: Path) -> None:
    gallery.export(tmp_path / "answers")
    designer = AttributeDesigner(attributes={"style": ["handwritten"]})
    design = designer.design(Brief(subject="digits", classes=NAMES))
    collector = Downloader(allow_hosts=(gallery.endpoint,))
    with work_context(tmp_path / "work"):
        dataset = collector.collect(design, [GoogleSearcher(base_url=gallery.search_url)])
    assert 900 <= len(dataset) <= 960
    assert dataset.class_counts.min() >= 85
    refused = pq.read_table(tmp_path / "work/refused.parquet")
    reasons = Counter(refused["reason"].to_pylist())
    assert set(reasons) == {"not found", "damaged", "not an image", "duplicate"}
    assert (reasons["not found"], reasons["damaged"], reasons["not an image"]) == (20, 20, 10)
    assert len(dataset) + len(refused) == 1000

    with (tmp_path / "answers/truth.csv").open(newline="") as file:
        truth = {row["url"]: row["label"] for row in csv.DictReader(file)}
    urls = dataset.sources["url"].to_pylist()
    wrong = [
        truth[url] != dataset.classes[label]
        for url, label in zip(urls, dataset.labels, strict=True)
    ]
    assert 0.17 < np.mean(wrong) < 0.25

    test = read_dataset(tmp_path / "answers/test")
    assert set(test.classes) == set(NAMES)
    assert test.images[0].shape == (64, 64, 3)
    hashes = {hashlib.sha256(pixels.tobytes()).digest() for pixels in test.images}
    assert hashes.isdisjoint(hashlib.sha256(p.tobytes()).digest() for p in dataset.images)


def test_a_taken_port_is_told_in_one_line(gallery: GalleryServer, catalog) -> None:
    with pytest.raises(InputError) as raised, GalleryServer(catalog, port=gallery.port):
        pass
    assert str(raised.value) == (
        f"port {gallery.port} is taken: stop what uses it, or choose another with --port"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(catalog: DigitCatalog, host: str) -> None:
    with pytest.raises(InputError) as raised, GalleryServer(catalog, host=host, port=0):
        pass
    assert str(raised.value) == (
        f"{host} is no address of this machine: leave --host out, or correct it"
    )


def test_an_export_that_cannot_be_written(gallery: GalleryServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError) as raised:
        gallery.export(tmp_path / "file" / "answers")
    assert str(raised.value) == (
        f"{tmp_path / 'file' / 'answers'} cannot be written: Not a directory"
    )
