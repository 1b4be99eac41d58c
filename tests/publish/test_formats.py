"""Each export as the program reads it for which it is made."""

import json
import tarfile
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from adc_process import run_adc
from PIL import Image

from adc_core import read_dataset, save_dataset
from adc_core.arrays.hashing import hash_file
from adc_core.images.sequence import ImageFiles
from adc_core.records.dataset import Dataset

FORMS = ("image-folder", "webdataset", "hugging-face", "url-list")
CLASSES = ("cardigan", "shirt & tie")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """23 images, JPEG and PNG, of which the last three are nearly the same."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    paths = [f"{row}.{'png' if row % 5 == 0 else 'jpg'}" for row in range(23)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (16, 20, 3), dtype=np.uint8)).save(folder / path)
    licenses = ["https://creativecommons.org/licenses/by/4.0/", None]
    return Dataset(
        ids=[f"{row:020x}" for row in range(23)],
        labels=np.arange(23) % 2,
        classes=CLASSES,
        images=ImageFiles(folder, paths),
        attributes={"color": np.array(["navy", "beige", ""])[np.arange(23) % 3]},
        columns={"duplicate_group": np.minimum(np.arange(23), 20)},
        sources=pa.table(
            {
                "url": [f"http://shop.example/{row}" for row in range(23)],
                "license": [("CC-BY-4.0", None)[row % 2] for row in range(23)],
                "license_url": [licenses[row % 2] for row in range(23)],
                "engine": ["openverse"] * 23,
                "query": ["a | b"] * 23,
                "width": [None if row == 3 else 20 for row in range(23)],
                "label": ["as they called it"] * 23,
            }
        ),
    )


@pytest.fixture(scope="module")
def exported(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    save_dataset(dataset, folder / "saved")
    for form in FORMS:
        adc("export", folder / "saved", "--as", form, "--to", folder / form, "--split", "test=0.3")
    return folder


def adc(*arguments, code=0):
    done = run_adc(*arguments)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def truth(dataset):
    """Id to pixels and class name."""
    return {
        name: (dataset.images[row], CLASSES[dataset.labels[row]])
        for row, name in enumerate(dataset.ids.tolist())
    }


def splits_of(exported, form):
    table = pq.read_table(exported / form / "samples.parquet")
    return dict(zip(table["id"].to_pylist(), table["split"].to_pylist(), strict=True))


def test_splits_are_the_same_everywhere_and_keep_groups(exported, dataset):
    splits = splits_of(exported, "webdataset")
    assert all(splits_of(exported, form) == splits for form in FORMS)
    assert sorted(splits.values()).count("test") == pytest.approx(0.3 * 23, abs=2)
    assert len({splits[name] for name in dataset.ids.tolist()[20:]}) == 1


@pytest.mark.parametrize("manifest", ["samples.csv", "samples.parquet"])
def test_an_image_folder_is_read_by_ourselves(exported, dataset, manifest):
    read = read_dataset(exported / "image-folder" / manifest)
    assert read.ids.tolist() == dataset.ids.tolist()
    assert read.classes == CLASSES
    assert read.labels.tolist() == dataset.labels.tolist()
    assert read.attributes["color"].tolist() == dataset.attributes["color"].tolist()
    assert all(np.array_equal(a, b) for a, b in zip(read.images, dataset.images, strict=True))
    assert read.sources["url"].to_pylist() == dataset.sources["url"].to_pylist()
    assert set(read.sources["source.label"].to_pylist()) == {"as they called it"}


def test_an_image_folder_is_read_by_torchvision(exported, dataset):
    from torchvision.datasets import ImageFolder

    found, splits = 0, splits_of(exported, "image-folder")
    for split in ("train", "test"):
        folder = ImageFolder(exported / "image-folder" / split)
        assert folder.classes == list(CLASSES)
        for path, label in folder.samples:
            name = f"{int(Path(path).stem):020x}"
            assert (truth(dataset)[name][1], splits[name]) == (CLASSES[label], split)
            found += 1
    assert found == 23


def test_an_image_folder_is_read_by_datasets(exported, dataset, tmp_path):
    import datasets

    read = datasets.load_dataset(
        "imagefolder", data_dir=str(exported / "image-folder"), cache_dir=str(tmp_path)
    )
    rows = [row for split in read.values() for row in split]
    assert len(rows) == 23
    for row in rows:
        pixels, label = truth(dataset)[row["id"]]
        np.testing.assert_array_equal(np.asarray(row["image"]), pixels)
        assert CLASSES[row["label"]] == label


def test_hugging_face_files_are_read_by_datasets(exported, dataset, tmp_path):
    import datasets

    read = datasets.load_dataset(str(exported / "hugging-face"), cache_dir=str(tmp_path))
    splits = splits_of(exported, "hugging-face")
    assert read["train"].features["label"].names == list(CLASSES)
    assert isinstance(read["train"].features["image"], datasets.Image)
    assert read["train"].num_rows + read["test"].num_rows == 23
    for split, rows in read.items():
        for row in rows:
            pixels, label = truth(dataset)[row["id"]]
            np.testing.assert_array_equal(np.asarray(row["image"]), pixels)
            assert (CLASSES[row["label"]], splits[row["id"]]) == (label, split)
    assert sorted(row["width"] or 0 for rows in read.values() for row in rows)[:2] == [0, 20]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tar_shards_are_read_by_webdataset(exported, dataset):
    """The library leaves its files to the garbage collector."""
    import webdataset

    splits, found = splits_of(exported, "webdataset"), 0
    for split in ("train", "test"):
        shard = str(exported / "webdataset" / f"{split}-00000.tar")
        pipeline = webdataset.WebDataset(shard, shardshuffle=False).decode("rgb8")
        for sample in pipeline:
            name, about = f"{int(sample['__key__']):020x}", sample["json"]
            pixels, label = truth(dataset)[name]
            image = sample["jpg"] if "jpg" in sample else sample["png"]
            assert np.abs(image.astype(int) - pixels).max() <= 1
            assert CLASSES[sample["cls"]] == about["label"] == label
            assert about["url"].startswith("http://shop.example/")
            assert splits[name] == split
            found += 1
    assert found == 23
    assert (exported / "webdataset" / "classes.txt").read_text().splitlines() == list(CLASSES)


def test_tar_shards_are_read_by_ourselves(exported, dataset):
    read = read_dataset(exported / "webdataset")
    assert read.classes == CLASSES
    for row, key in enumerate(read.ids.tolist()):
        pixels, label = truth(dataset)[read.sources["id"][row].as_py()]
        np.testing.assert_array_equal(read.images[row], pixels)
        assert CLASSES[read.labels[row]] == label
        assert read.sources["url"][row].as_py() == f"http://shop.example/{int(key)}"


def test_shards_hold_a_thousand(tmp_path):
    pixels = np.zeros((2001, 1, 1, 3), np.uint8)
    save_dataset(
        Dataset(labels=np.zeros(2001, int), classes=("a", "b"), images=pixels), tmp_path / "saved"
    )
    adc("export", tmp_path / "saved", "--as", "webdataset", "--to", tmp_path / "out")
    sizes = []
    for path in sorted((tmp_path / "out").glob("train-*.tar")):
        with tarfile.open(path) as archive:
            sizes.append(len(archive.getnames()) // 3)
    assert sizes == [1000, 1000, 1]


def test_a_list_of_addresses(exported, dataset):
    assert sorted(path.name for path in (exported / "url-list").iterdir()) == [
        "README.md",
        "croissant.json",
        "samples.parquet",
    ]
    table = pq.read_table(exported / "url-list" / "samples.parquet")
    assert table["url"].to_pylist() == dataset.sources["url"].to_pylist()
    assert table["label"].to_pylist() == [CLASSES[k] for k in dataset.labels.tolist()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("form", FORMS)
def test_croissant_says_what_there_is(exported, dataset, form):
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=exported / form / "croissant.json")
    assert not described.metadata.issues.errors
    assert described.metadata.issues.warnings <= {
        warning for warning in described.metadata.issues.warnings if "recommended" in warning
    }
    records = list(described.records("samples"))
    assert [record["samples/id"].decode() for record in records] == dataset.ids.tolist()
    assert [record["samples/label"].decode() for record in records] == [
        CLASSES[label] for label in dataset.labels.tolist()
    ]
    written = json.loads((exported / form / "croissant.json").read_text())
    named = set()
    for one in written["distribution"]:
        if one["@type"] == "cr:FileObject":
            path = exported / form / one["contentUrl"]
            assert one["sha256"] == hash_file(path)
            named.add(path)
        else:
            named |= set((exported / form).glob(one["includes"]))
    there = {path for path in (exported / form).rglob("*") if path.is_file()}
    assert there - named == {exported / form / "croissant.json"}
    assert written["license"] == ["https://creativecommons.org/licenses/by/4.0/"]


def test_the_datasheet_counts(exported, dataset):
    splits = splits_of(exported, "hugging-face")
    ties = [splits[name] for name in dataset.ids[dataset.labels == 1].tolist()]
    text = (exported / "hugging-face" / "README.md").read_text()
    assert "# hugging-face\n\n23 images of 2 classes" in text
    assert f"| shirt & tie | {ties.count('test')} | {ties.count('train')} |" in text
    assert "| CC-BY-4.0 | 12 |\n| unknown | 11 |" in text
    assert "| navy | 8 |" in text
    assert "wrote it from `saved`.\nNobody noted how that was made.\n" in text


def test_the_recipe_of_a_run_is_in_the_datasheet(dataset, tmp_path):
    (tmp_path / "run").mkdir()
    save_dataset(dataset, tmp_path / "run" / "collector")
    (tmp_path / "run" / "run.json").write_text("{}")
    (tmp_path / "run" / "pipeline.yaml").write_text("designer:\n  use: vocabulary\n")
    adc("export", tmp_path / "run/collector", "--as", "url-list", "--to", tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert "from this pipeline:\n\n    designer:\n      use: vocabulary\n" in text


def test_the_recipe_says_nothing_of_who_ran_it(dataset, tmp_path):
    recipe = """\
dataset: /data/secret-project/photos
searchers:
- {use: wikimedia, contact: me@example.org}
- {use: searxng, base_url: "http://10.0.0.5/search"}
- {use: bing, base_url: "https://bing.example/v7"}
- {use: folder, root: ~/images/cats}
collector: {use: downloader, contact: me@example.org, allow_hosts: ["nas.local:80"], image_size: 64}
"""
    (tmp_path / "run").mkdir()
    save_dataset(dataset, tmp_path / "run" / "collector")
    (tmp_path / "run" / "run.json").write_text("{}")
    (tmp_path / "run" / "pipeline.yaml").write_text(recipe)
    adc("export", tmp_path / "run/collector", "--as", "url-list", "--to", tmp_path / "out")
    _, _, told = (tmp_path / "out" / "README.md").read_text().partition("from this pipeline:\n\n")
    assert yaml.safe_load(textwrap.dedent(told)) == {
        "dataset": "photos",
        "searchers": [
            {"use": "wikimedia"},
            {"use": "searxng"},
            {"use": "bing", "base_url": "https://bing.example/v7"},
            {"use": "folder", "root": "cats"},
        ],
        "collector": {"use": "downloader", "image_size": 64},
    }


def test_the_texts_of_strangers_stay_texts(dataset, tmp_path):
    odd = [
        "<script>alert(1)</script>",
        "CC0\n\n# Another license\n",
        "[free](http://evil.example)",
        "by | sa",
        "\x1b]0;title\x07 \u202etxt",
        "x" * 1000,
        "=cmd|'/C calc'!A0",
    ]
    texts = [odd[row % len(odd)] for row in range(23)]
    urls = [("javascript:alert(1)//", "https://a.example/license")[row % 2] for row in range(23)]
    sources = dataset.sources.select(["url", "engine"])
    sources = sources.append_column("license", [texts]).append_column("license_url", [urls])
    save_dataset(dataset.replace(sources=sources), tmp_path / "saved")
    adc("export", tmp_path / "saved", "--as", "image-folder", "--to", tmp_path / "out")
    table = (
        (tmp_path / "out" / "README.md")
        .read_text()
        .partition("| license | images |\n|---|---|\n")[2]
    )
    rows = [
        row.removeprefix("| ").rpartition(" | ")[0] for row in table.split("\n\n")[0].splitlines()
    ]
    assert sorted(rows) == sorted(
        [
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "CC0 # Another license",
            "\\[free\\](http://evil.example)",
            "by \\| sa",
            "]0;title txt".replace("]", "\\]"),
            "x" * 100 + "…",
            "=cmd\\|'/C calc'!A0",
        ]
    )
    described = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert described["license"] == ["https://a.example/license"]
    assert "\"'=cmd|" in (tmp_path / "out" / "samples.csv").read_text()


@pytest.mark.parametrize("form", FORMS)
def test_the_same_bytes_twice(exported, tmp_path, form):
    again = tmp_path / form
    adc("export", exported / "saved", "--as", form, "--to", again, "--split", "test=0.3")
    for path in (exported / form).rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(exported / form)).read_bytes()


def test_ids_that_are_no_file_names(tmp_path):
    ids = ["a/b.jpg", "ü", "c:d", "../../e", "", "/f/g.png", "B", "b", "x/" + "y" * 300]
    dataset = Dataset(
        ids=ids, labels=[0] * 8 + [1], classes=("x", "y"), images=np.zeros((9, 2, 2), "u1")
    )
    save_dataset(dataset, tmp_path / "saved")
    adc("export", tmp_path / "saved", "--as", "image-folder", "--to", tmp_path / "out")
    train = tmp_path / "out" / "train"
    names = sorted(path.relative_to(train).as_posix() for path in train.rglob("*.png"))
    plain = ["a/b", "ü", "000000002", "000000003", "000000004", "g", "B", "b-2"]
    assert names == sorted([*(f"x/{name}.png" for name in plain), "y/000000008.png"])
    assert read_dataset(tmp_path / "out/samples.csv").ids.tolist() == ids


def test_faults(tmp_path, exported):
    labels = tmp_path / "labels.csv"
    labels.write_text("label\na\nb\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    out = ("--to", tmp_path / "out")
    cases = [
        (
            (labels, "--as", "webdataset", *out),
            "the dataset has no images to export: read one that has, or use url-list",
        ),
        (
            (labels, "--as", "url-list", *out),
            "the dataset's sources name no url: export one that was collected",
        ),
        (
            (exported / "saved", "--as", "url-list", "--to", tmp_path / "full"),
            f"{tmp_path / 'full'} already exists: choose another folder or remove it",
        ),
        (
            (exported / "saved", "--as", "url-list", *out, "--split", "test"),
            "--split test: write NAME=SHARE, such as test=0.1",
        ),
        (
            (exported / "saved", "--as", "url-list", *out, "--split", "test=1.5"),
            "splits are shares above 0 that leave something to train, such as test=0.1",
        ),
    ]
    for arguments, message in cases:
        assert adc("export", *arguments, code=2) == f"adc: {message}\n"
    assert not (tmp_path / "out").exists()
