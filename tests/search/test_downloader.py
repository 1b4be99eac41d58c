"""The whole way over real HTTP: what is kept, in which order, and what the records say."""

import asyncio
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from aiohttp import web
from PIL import Image
from pydantic import ValidationError

from adc_core import read_dataset, save_dataset
from adc_core.components.component import create
from adc_core.components.context import work_context
from adc_core.components.interfaces import Collector
from adc_core.errors import InputError, WorkError
from adc_core.records.dataset import Dataset
from adc_core.records.design import Design, Query
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.folder import FolderSearcher

Collect = Callable[..., Dataset]


@pytest.fixture
def collect(tmp_path: Path, site, listed, design_of) -> Collect:
    """Collect what is listed for each class, in `tmp_path / "work"`."""

    def run(
        urls: dict[str, list[str]], *, classes: tuple[str, ...] = (), **options: Any
    ) -> Dataset:
        options = {"allow_hosts": (site.endpoint,), "backoff": 0.01, "min_side": 8} | options
        searcher = listed(urls={name: tuple(each) for name, each in urls.items()})
        design = design_of(*(classes or urls))
        with work_context(options.pop("folder", tmp_path / "work")):
            return Downloader(**options).collect(design, [searcher])

    return run


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[], list[dict[str, str]]]:
    return lambda: pq.read_table(tmp_path / "work/refused.parquet").to_pylist()


def test_images_become_a_labeled_dataset(
    site, collect: Collect, image_bytes, tmp_path: Path
) -> None:
    urls = [site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(5)]
    dataset = collect({"cat": urls[:3], "dog": urls[3:]})
    assert dataset.classes == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1]
    assert dataset.sources["url"].to_pylist() == urls
    assert [path.name for path in (tmp_path / "work/images").iterdir()] == ["00000.tar"]
    assert dataset.images[0].shape == (48, 64, 3)
    refusals = pq.read_table(tmp_path / "work/refused.parquet")
    assert refusals.column_names == ["url", "class", "engine", "query", "reason", "detail"]
    assert len(refusals) == 0


def test_images_are_shrunk_to_the_shorter_side_and_never_enlarged(
    site, collect: Collect, image_bytes
) -> None:
    urls = [
        site.serve("/wide.jpg", image_bytes(1, (640, 160))),
        site.serve("/tall.png", image_bytes(2, (96, 960), "PNG"), "image/png"),
        site.serve("/small.jpg", image_bytes(3, (64, 40))),
    ]
    dataset = collect({"cat": urls, "dog": []}, image_size=80)
    assert [image.shape[:2] for image in dataset.images] == [(80, 320), (800, 80), (40, 64)]
    assert dataset.sources["width"].to_pylist() == [640, 96, 64]
    assert dataset.sources["height"].to_pylist() == [160, 960, 40]


def test_the_same_image_is_kept_once_and_tells_where_else_it_was_found(
    site, collect: Collect, image_bytes, refused
) -> None:
    same = image_bytes(1)
    first = site.serve("/first.jpg", same)
    again = site.serve("/again.jpg", same)
    other = site.serve("/other.jpg", same)
    alone = site.serve("/alone.jpg", image_bytes(2))
    dataset = collect({"cat": [first, again, first + "#part"], "dog": [alone, other, first]})
    assert dataset.sources["url"].to_pylist() == [first, alone]
    assert dataset.labels.tolist() == [0, 1]
    assert dataset.sources["also_found_as"].to_pylist() == ["dog", None]
    assert [(row["url"], row["class"], row["reason"]) for row in refused()] == [
        (again, "cat", "duplicate"),
        (first + "#part", "cat", "duplicate"),
        (other, "dog", "duplicate"),
        (first, "dog", "duplicate"),
    ]
    assert Counter(site.paths)["/first.jpg"] == 1


def test_every_hit_of_a_kept_image_has_its_row(
    site, collect: Collect, image_bytes, tmp_path: Path
) -> None:
    first = site.serve("/first.jpg", image_bytes(1))
    other = site.serve("/other.jpg", image_bytes(1))
    alone = site.serve("/alone.jpg", image_bytes(2))
    dataset = collect({"cat": [first, site.url("/gone.jpg")], "dog": [alone, other, first]})
    hits = pq.read_table(tmp_path / "work/hits.parquet").to_pylist()
    one, two = dataset.ids.tolist()
    assert [(row["id"], row["class"], row["query"], row["rank"], row["url"]) for row in hits] == [
        (one, "cat", "cat", 1, first),
        (two, "dog", "dog", 1, alone),
        (one, "dog", "dog", 2, other),
        (one, "dog", "dog", 3, first),
    ]


def test_a_query_added_later_fetches_its_own_images_only(
    site, collect: Collect, image_bytes, tmp_path: Path
) -> None:
    urls = [site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(9)]
    collect({"cat": urls[:3], "dog": urls[3:6]}, shard_size=4)
    site.paths.clear()
    grown = collect({"cat": urls[:3], "emu": urls[5:], "dog": urls[3:6]}, shard_size=4)
    assert sorted(site.paths) == ["/6.jpg", "/7.jpg", "/8.jpg"]
    whole = collect({"cat": urls[:3], "emu": urls[5:], "dog": urls[3:6]}, folder=tmp_path / "other")
    assert grown == whole


def test_what_was_found_is_written_down(site, collect: Collect, image_bytes) -> None:
    site.serve("/end.png", image_bytes(1, kind="PNG"), "image/png")
    hop = site.script("/hop", lambda: web.Response(status=302, headers={"Location": "/end.png"}))
    dataset = collect({"cat": [hop], "dog": []})
    (row,) = dataset.sources.to_pylist()
    assert (row["url"], row["final_url"]) == (hop, site.url("/end.png"))
    assert (row["format"], row["mode"], row["width"], row["height"]) == ("PNG", "RGB", 64, 48)
    assert row["bytes"] == len(image_bytes(1, kind="PNG"))
    assert row["stored_bytes"] == len(dataset.images.read(0))
    assert row["stored_sha256"] == dataset.images.sums[0]


def test_the_result_does_not_depend_on_the_order_of_arrival(
    site, collect: Collect, image_bytes, tmp_path: Path
) -> None:
    chance = random.Random(4)

    def late(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            await asyncio.sleep(chance.random() / 20)
            return web.Response(body=body)

        return answer

    # Ten images are shown at two addresses, and the lists overlap.
    urls = [site.on(f"/{n}.jpg", late(image_bytes(n % 30))) for n in range(40)]
    lists = {"cat": urls[:14], "dog": urls[10:25], "emu": urls[20:]}
    results = [
        collect(
            lists,
            folder=tmp_path / f"work{workers}",
            max_connections=workers,
            max_connections_per_host=workers,
        )
        for workers in (1, 4, 32)
    ]
    assert len({dataset.fingerprint for dataset in results}) == 1
    tables = {(tmp_path / f"work{n}/refused.parquet").read_bytes() for n in (1, 4, 32)}
    assert len(tables) == 1
    assert results[0].class_counts.tolist() == [14, 11, 5]


def test_attributes_come_from_the_queries(site, image_bytes, listed, tmp_path: Path) -> None:
    urls = [site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(3)]
    design = Design(
        classes=("cat", "dog"),
        attributes={"color": ("grey", "tan"), "mood": ("sad",)},
        queries=(
            Query(text="tan cat", class_name="cat", attributes={"color": "tan"}),
            Query(text="sad dog", class_name="dog", attributes={"mood": "sad", "color": "grey"}),
        ),
    )
    searcher = listed(urls={"tan cat": (urls[0],), "sad dog": (urls[1], urls[2])})
    with work_context(tmp_path / "work"):
        dataset = Downloader(allow_hosts=(site.endpoint,)).collect(design, [searcher])
    assert dataset.attributes["color"].tolist() == ["tan", "grey", "grey"]
    assert dataset.attributes["mood"].tolist() == ["", "sad", "sad"]


def test_no_more_images_than_asked_for(
    site, image_bytes, listed, design_of, tmp_path: Path
) -> None:
    urls = tuple(site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(25))
    searcher = listed(urls={"cat": urls, "dog": urls[:1]})
    with work_context(tmp_path / "work"):
        design = design_of("cat", "dog", samples=12)
        dataset = Downloader(allow_hosts=(site.endpoint,)).collect(design, [searcher])
    assert dataset.sources["url"].to_pylist() == list(urls[:12])


def test_a_saved_dataset_reads_back_equal(
    site, collect: Collect, image_bytes, tmp_path: Path
) -> None:
    urls = [site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(4)]
    dataset = collect({"cat": urls[:2], "dog": urls[2:]})
    save_dataset(dataset, tmp_path / "saved")
    assert read_dataset(tmp_path / "saved").fingerprint == dataset.fingerprint


def test_names_itself_truthfully(site, collect: Collect, image_bytes) -> None:
    collect({"cat": [site.serve("/1.jpg", image_bytes(1))], "dog": []}, contact="me@example.org")
    agent = site.headers[0]["User-Agent"]
    assert agent.startswith("adc-search/")
    assert agent.endswith(" (me@example.org)")
    assert "Cookie" not in site.headers[0]


def test_progress_is_told_per_image(site, listed, design_of, image_bytes, tmp_path: Path) -> None:
    heard: list[tuple[int, int | None, str]] = []
    urls = tuple(site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(3))
    searcher = listed(urls={"cat": urls, "dog": urls})
    with work_context(tmp_path / "work", lambda *told: heard.append(told)):
        Downloader(allow_hosts=(site.endpoint,)).collect(design_of("cat", "dog"), [searcher])
    assert heard == [
        (1, 2, "query"),
        (2, 2, "query"),
        *((done, 3, "image") for done in range(4)),
    ]


def test_works_where_an_event_loop_runs_already(site, collect: Collect, image_bytes) -> None:
    url = site.serve("/1.jpg", image_bytes(1))

    async def notebook_cell() -> Dataset:
        return collect({"cat": [url], "dog": []})

    assert len(asyncio.run(notebook_cell())) == 1


def test_local_images_come_from_the_folder_searcher(tmp_path: Path, design_of, image_bytes) -> None:
    root = tmp_path / "photos"
    for n, path in enumerate(("cat/1.jpg", "cat/2.png", "dog/3.jpg")):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(image_bytes(n))
    (root / "cat/4.jpg").write_text("no image")
    (root / "cat/5.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "cat/6.jpg").symlink_to(root / "cat/gone.jpg")
    (root / "dog/7.jpg").write_bytes(bytes(3000))
    (tmp_path / "secret.jpg").write_bytes(image_bytes(9))
    with work_context(tmp_path / "work"):
        dataset = Downloader(max_bytes=2500).collect(
            design_of("cat", "dog"), [FolderSearcher(root=root)]
        )
    urls = [(root / path).as_uri() for path in ("cat/1.jpg", "cat/2.png", "dog/3.jpg")]
    assert dataset.sources["url"].to_pylist() == urls
    refusals = pq.read_table(tmp_path / "work/refused.parquet").to_pylist()
    assert [(row["url"][-9:], row["reason"], row["detail"]) for row in refusals] == [
        ("cat/4.jpg", "not an image", "begins with 'no image'"),
        ("cat/5.jpg", "forbidden address", "outside the searcher's folder"),
        ("cat/6.jpg", "not found", "no such file"),
        ("dog/7.jpg", "too large", "more than 2,500 bytes"),
    ]


def test_a_redirect_never_leads_to_a_local_file(
    site, collect: Collect, image_bytes, refused, tmp_path: Path
) -> None:
    (tmp_path / "cat.jpg").write_bytes(image_bytes(1))
    target = {"Location": (tmp_path / "cat.jpg").as_uri()}
    url = site.script("/hop", lambda: web.Response(status=302, headers=target))
    collect({"cat": [url], "dog": [site.serve("/1.jpg", image_bytes(2))]})
    (row,) = refused()
    assert (row["reason"], row["detail"]) == (
        "forbidden address",
        "redirected to no http or https address",
    )


def test_finding_nothing_says_what_to_do_and_is_not_remembered(
    site, collect: Collect, image_bytes
) -> None:
    with pytest.raises(InputError) as raised:
        collect({}, classes=("cat", "dog"))
    assert str(raised.value) == (
        "no images were found for any of the 2 queries, such as 'cat': "
        "use simpler words, or other searchers"
    )
    assert (
        len(collect({"cat": [site.serve("/1.jpg", image_bytes(1))]}, classes=("cat", "dog"))) == 1
    )


def test_when_all_are_refused_it_counts_the_reasons_and_may_be_tried_again(
    site, collect: Collect, image_bytes
) -> None:
    urls = [site.url("/1.jpg"), site.url("/2.jpg"), site.serve("/3.jpg", b"<html>")]
    with pytest.raises(InputError) as raised:
        collect({"cat": urls, "dog": []})
    assert str(raised.value) == (
        "none of the 3 images that were found could be used (2 not found, 1 not an image); "
        f"{urls[0]!r} was refused: HTTP 404; check the network and the options"
    )
    site.serve("/1.jpg", image_bytes(1))
    assert len(collect({"cat": urls, "dog": []})) == 1


def test_one_class_is_the_datasets_complaint(site, collect: Collect, image_bytes) -> None:
    with pytest.raises(InputError, match="give at least two"):
        collect({"cat": [site.serve("/1.jpg", image_bytes(1))]})


def test_a_file_in_the_way_is_named(site, collect: Collect, image_bytes, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/images").write_text("in the way")
    with pytest.raises(WorkError) as raised:
        collect({"cat": [site.serve("/1.jpg", image_bytes(1))], "dog": []})
    assert str(raised.value) == f"{tmp_path / 'work/images'} cannot be written: File exists"


@pytest.mark.parametrize(
    ("options", "place", "message"),
    [
        (
            {"allow_hosts": ["localhost"]},
            "allow_hosts",
            "'localhost' is not host:port, such as 127.0.0.1:8765",
        ),
        ({"max_connections": 0}, "max_connections", "Input should be greater than or equal to 1"),
        ({"contact": "a\r\nX: b"}, "contact", "String should match pattern '^[ -~]*$'"),
    ],
)
def test_bad_options(options: dict[str, object], place: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Downloader.model_validate(options)
    (fault,) = raised.value.errors()
    assert (fault["loc"][0], fault["msg"]) == (place, message)


def test_a_decoder_that_is_not_installed_is_named(
    site, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError) as raised:
        collect({"cat": [site.url("/1.jpg")], "dog": []}, decoder="opencv")
    assert str(raised.value) == (
        "decoder: opencv is not installed: pip install 'adc-plugins-search[opencv]', or use pillow"
    )
    assert not site.paths


def test_a_pipeline_table_builds_it() -> None:
    built = create(Collector, {"use": "downloader", "image_size": 256, "max_connections": 30})
    assert built == Downloader(image_size=256, max_connections=30)
    assert json.loads(built.model_dump_json())["max_connections"] == 30


def test_stored_images_are_jpeg_in_full_color_without_metadata(
    site, collect: Collect, tmp_path: Path
) -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 255, 255
    image = Image.fromarray(stripes)
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    path = tmp_path / "stripes.jpg"
    image.save(path, quality=100, subsampling=0, exif=exif, comment=b"a secret", dpi=(300, 300))
    dataset = collect({"cat": [site.serve("/1.jpg", path.read_bytes())], "dog": []})
    stored = dataset.images.read(0)
    with Image.open(io.BytesIO(stored)) as found:
        assert found.format == "JPEG"
        assert not found.getexif()
        assert not {"exif", "comment", "icc_profile", "dpi"} & set(found.info)
    assert b"secret" not in stored
    # With halved colour resolution neighboring red and blue columns would blur to purple.
    shown = dataset.images[0].astype(int)
    assert (shown[:, ::2, 0] - shown[:, ::2, 2]).min() > 200
