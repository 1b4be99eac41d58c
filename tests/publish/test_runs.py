"""What comes out of a run on a folder of one's own, as each reader reads it."""

import csv
import shutil
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow.parquet as pq
import pytest
from photo_folder import CLASSES, FORMS, ROWS, adc, paint, read_list

from adc_core import read_dataset, read_run, save_dataset

MIDDLE = 0.15
"""Share of the samples in the split `val`."""


@pytest.fixture(scope="module")
def place(repaired):
    """The folder with the run's curated dataset in every form beside it."""
    for form in FORMS:
        words = ("--as", form, "--to", form, "--split", f"val={MIDDLE}")
        adc(repaired, "export", "runs/p", *words)
    return repaired


@pytest.fixture(scope="module")
def curated(place):
    """What the run left: id to class name and pixels."""
    dataset = read_run(place / "runs/p").curated
    assert 90 < len(dataset) < ROWS
    return {
        name: (dataset.classes[dataset.labels[row]], dataset.images[row])
        for row, name in enumerate(dataset.ids.tolist())
    }


@pytest.fixture
def load(tmp_path):
    """`datasets.load_dataset`, without a trace."""
    import datasets

    def read(*path, **options):
        return datasets.load_dataset(*path, cache_dir=str(tmp_path / "cache"), **options)

    return read


def rows_of(place, form):
    return pq.read_table(place / form / "samples.parquet").to_pylist()


def same(pixels, image):
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_curated_samples(place, curated, form):
    found = {row["id"]: row["label"] for row in rows_of(place, form)}
    assert found == {name: label for name, (label, _) in curated.items()}
    assert all((place / form / row["path"]).is_file() for row in rows_of(place, form))


def test_names_and_sub_folders_stay(place, curated):
    renamed = 0
    for row in rows_of(place, "image-folder"):
        before = PurePosixPath(row["id"])
        wanted = PurePosixPath(row["split"], row["label"], *before.parts[1:])
        if row["path"] != str(wanted):
            renamed += 1
            assert row["path"] == str(wanted.with_name(f"{wanted.stem}-2{wanted.suffix}"))
            # Who had the name before keeps it.
            assert (place / "image-folder" / wanted).is_file()
            assert curated[row["id"]][0] != before.parts[0]
        original = (place / "photos" / row["id"]).read_bytes()
        assert (place / "image-folder" / row["path"]).read_bytes() == original
    assert renamed == 1


def test_renamed_files_are_told(place, tmp_path):
    written, told = adc(place, "export", "runs/p", "--as", "image-folder", "--to", tmp_path / "x")
    assert written == f"109 samples: {tmp_path / 'x'}\n4 relabelled, 11 dropped: " + str(
        tmp_path / "x" / "changes.csv\n"
    )
    assert told == (
        "adc: 1 file got a number behind the name, which another file has in the same class: "
        f"{tmp_path / 'x' / 'samples.parquet'} has the ids\n"
    )


@pytest.mark.parametrize("options", [{}, {"path": "imagefolder"}])
def test_the_image_folder_by_datasets(place, curated, load, options):
    path = str(place / "image-folder")
    read = load("imagefolder", data_dir=path) if options else load(path)
    assert sorted(read) == ["train", "val" if not options else "validation"]
    found = [row for split in read.values() for row in split]
    assert {row["id"] for row in found} == curated.keys()
    assert read["train"].features["label"].names == list(CLASSES)
    for row in found:
        label, pixels = curated[row["id"]]
        assert CLASSES[row["label"]] == label
        same(pixels, row["image"])


def test_the_image_folder_by_torchvision(place, curated):
    from torchvision.datasets import ImageFolder

    ids = {row["path"]: row["id"] for row in rows_of(place, "image-folder")}
    found = set()
    for split in ("train", "val"):
        folder = ImageFolder(place / "image-folder" / split)
        assert folder.classes == list(CLASSES)
        for place_in_list, (path, label) in enumerate(folder.samples):
            name = ids[Path(path).relative_to(place / "image-folder").as_posix()]
            assert CLASSES[label] == curated[name][0]
            same(curated[name][1], folder[place_in_list][0])
            found.add(name)
    assert found == curated.keys()


@pytest.mark.parametrize("options", [{}, {"path": "webdataset"}])
def test_tar_shards_by_datasets(place, curated, load, options, tmp_path):
    path = place / "webdataset"
    if options:  # its own inference takes shards of one kind of image alone
        shutil.copytree(place / "photos", tmp_path / "png")
        for photo in (tmp_path / "png").rglob("*.JPG"):
            photo.unlink()
        adc(tmp_path, "export", "png", "--as", "webdataset", "--to", "shards")
        read = load("webdataset", data_dir=str(tmp_path / "shards"))["train"]
        assert len(read) == len(list((tmp_path / "png").rglob("*.png")))
        assert [CLASSES[row["cls"]] for row in read] == [row["json"]["label"] for row in read]
        return
    read = load(str(path))
    assert sorted(read) == ["train", "val"]
    assert read["train"].features["cls"].names == list(CLASSES)
    found = [row for split in read.values() for row in split]
    assert {row["json"]["id"] for row in found} == curated.keys()
    for row in found:
        label, pixels = curated[row["json"]["id"]]
        assert CLASSES[row["cls"]] == row["json"]["label"] == label
        same(pixels, row["jpg"] or row["png"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tar_shards_by_webdataset(place, curated):
    import webdataset

    found = {}
    for split in ("train", "val"):
        shard = str(place / "webdataset" / f"{split}-00000.tar")
        for sample in webdataset.WebDataset(shard, shardshuffle=False).decode("pil"):
            name = sample["json"]["id"]
            folder, _, file = name.rpartition("/")
            assert sample["__key__"] == f"{folder}/{file.rpartition('.')[0].replace('.', '_')}"
            found[name] = CLASSES[sample["cls"]]
            same(curated[name][1], sample.get("jpg") or sample["png"])
    assert found == {name: label for name, (label, _) in curated.items()}


def test_hugging_face_files_by_datasets(place, curated, load):
    read = load(str(place / "hugging-face"))
    assert sorted(read) == ["train", "val"]
    assert read["val"].features["label"].names == list(CLASSES)
    found = [row for split in read.values() for row in split]
    assert {row["id"] for row in found} == curated.keys()
    for row in found:
        label, pixels = curated[row["id"]]
        assert CLASSES[row["label"]] == label
        same(pixels, row["image"])


@pytest.mark.parametrize(
    "path",
    [
        "image-folder",
        "image-folder/samples.csv",
        "image-folder/samples.parquet",
        "webdataset",
        "hugging-face",
    ],
)
@pytest.mark.filterwarnings("ignore:.*read as splits")
def test_ours_by_ourselves(place, curated, path):
    read = read_dataset(place / path)
    ids = read.ids
    if path == "webdataset":
        ids = np.array(read.sources["id"].to_pylist())
    if path == "image-folder":
        by_path = {row["path"]: row["id"] for row in rows_of(place, path)}
        ids = np.array([by_path[name] for name in ids.tolist()])
    splits = {row["id"]: row["split"] for row in rows_of(place, path.partition("/")[0])}
    assert read.columns["split"].tolist() == [splits[name] for name in ids.tolist()]
    assert set(ids.tolist()) == curated.keys()
    for row, name in enumerate(ids.tolist()):
        assert read.classes[read.labels[row]] == curated[name][0]
        np.testing.assert_array_equal(read.images[row], curated[name][1])


@pytest.mark.parametrize(
    "path",
    [
        "image-folder",
        "image-folder/train",
        "image-folder/samples.csv",
        "webdataset",
        "hugging-face",
    ],
)
def test_adc_detect_reads_them(place, tmp_path, path):
    written, _ = adc(place, "detect", place / path, "--fast", "--out", tmp_path / "out")
    assert "most suspicious" in written or "no label is flagged" in written


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("form", FORMS)
def test_croissant_describes_them(place, curated, form):
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=place / form / "croissant.json")
    assert not described.metadata.issues.errors
    ids = [record["samples/id"].decode() for record in described.records("samples")]
    assert set(ids) == curated.keys()


def test_what_was_changed_is_listed(place, curated):
    run = read_run(place / "runs/p")
    listed = read_list(place / "image-folder" / "changes.csv")
    paths = {row["id"]: row["path"] for row in rows_of(place, "image-folder")}
    told = {
        (line["id"], line["action"], line["old_class"], line["new_class"], line["reason"])
        for line in listed
    }
    assert told == {
        (
            change["id"],
            change["action"],
            CLASSES[change["old_label"]],
            CLASSES[change["new_label"]] if change["new_label"] >= 0 else "",
            change["reason"],
        )
        for curation in run.curations.values()
        for change in curation.changes.to_pylist()
    }
    assert {line["curator"] for line in listed} == {"relabel", "docta"}
    assert all(line["path"] == paths.get(line["id"], "") for line in listed)
    for line in listed:
        row = run.collected.ids.tolist().index(line["id"])
        by = [name for name, found in run.findings.items() if found.flagged[row]]
        assert line["flagged_by"] == ", ".join(by)


def test_the_datasheet_tells_what_was_changed(place):
    text = (place / "image-folder" / "README.md").read_text()
    assert (
        "109 images of 3 classes, labelled as they were given, then repaired by relabel, docta: "
        "some may still be wrong."
    ) in text
    assert "| curator | relabelled | dropped |\n|---|---|---|\n| relabel | 2 | 0 |\n" in text
    assert "| docta | 4 | 11 |\n" in text
    # Two that were relabelled first and dropped then went nowhere else.
    assert "| low & flat | high | 4 |\n" in text
    assert "| low & flat | (dropped) | 2 |\n" in text
    flags = read_run(place / "runs/p").findings
    changed = {line["id"] for line in read_list(place / "image-folder" / "changes.csv")}
    for name, found in flags.items():
        count = len(changed & set(found.ids[found.flagged].tolist()))
        assert f"| {name} | {count} |" in text
    assert "from this pipeline:\n\n    dataset: ../../photos\n" in text
    assert "nobody" not in text.partition("## How it was made")[2].lower()


def test_raw_is_the_dataset_as_given(place, tmp_path):
    adc(place, "export", "runs/p", "--raw", "--as", "image-folder", "--to", tmp_path / "x")
    assert not (tmp_path / "x" / "changes.csv").exists()
    given, read = read_dataset(place / "photos"), read_dataset(tmp_path / "x" / "train")
    assert read.ids.tolist() == given.ids.tolist()
    assert (tmp_path / "x" / "README.md").read_text().count("is not repaired here.") == 1


def test_a_stage_by_its_name_and_by_its_folder(place, tmp_path):
    out = tmp_path / "x"
    adc(
        place,
        "export",
        "runs/p",
        "--stage",
        "curators/relabel",
        "--as",
        "image-folder",
        "--to",
        out,
    )
    out.rename(tmp_path / "first")
    adc(place, "export", "runs/p/curators/relabel", "--as", "image-folder", "--to", out)
    for path in out.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "first" / path.relative_to(out)).read_bytes()
    expected = read_run(place / "runs/p").curations["relabel"].dataset
    read = read_dataset(out / "samples.csv")
    assert dict(zip(read.ids.tolist(), read.labels.tolist(), strict=True)) == dict(
        zip(expected.ids.tolist(), expected.labels.tolist(), strict=True)
    )


def test_a_saved_dataset_keeps_names_too(place, tmp_path):
    save_dataset(read_run(place / "runs/p").curated, tmp_path / "saved")
    adc(place, "export", tmp_path / "saved", "--as", "image-folder", "--to", tmp_path / "x")
    expected = {row["path"].partition("/")[2] for row in rows_of(place, "image-folder")}
    found = {row["path"].partition("/")[2] for row in rows_of(tmp_path, "x")}
    # The saved dataset does not know whose folder changed, so the first of two keeps the name.
    assert len(found ^ expected) <= 2
    assert len(found) == len(expected)


def test_splits_of_an_export_stay(place, tmp_path):
    manifest = "image-folder/samples.csv"
    adc(place, "export", manifest, "--as", "webdataset", "--to", tmp_path / "x")
    before = {row["id"]: row["split"] for row in rows_of(place, "image-folder")}
    assert {row["id"]: row["split"] for row in rows_of(tmp_path, "x")} == before


def test_texts_of_strangers_do_nothing(tmp_path):
    """Search results go into a page and a spreadsheet: neither follows them."""
    import pyarrow as pa

    paint(tmp_path)
    dataset = read_dataset(tmp_path / "photos")
    titles = ["=HYPERLINK(1)", "<script>x</script> [a](b)\n# head | cell"] * (ROWS // 2)
    dataset = dataset.replace(
        sources=pa.table({"url": ["http://a.example/"] * ROWS, "title": titles, "license": titles})
    )
    save_dataset(dataset, tmp_path / "saved")
    adc(tmp_path, "export", "saved", "--as", "image-folder", "--to", "x")
    page = (tmp_path / "x" / "README.md").read_text()
    assert "<script>" not in page and "\n# head" not in page
    assert "| &lt;script&gt;x&lt;/script&gt; \\[a\\](b) # head \\| cell | 60 |" in page
    with (tmp_path / "x" / "samples.csv").open(newline="") as file:
        assert {row["title"] for row in csv.DictReader(file)} == {f"'{titles[0]}", titles[1]}
    assert set(pq.read_table(tmp_path / "x/samples.parquet")["title"].to_pylist()) == set(titles)


def test_faults(place, tmp_path):
    out = ("--as", "image-folder", "--to", tmp_path / "x")
    cases = [
        (
            ("runs/p", "--raw", "--stage", "curators/docta"),
            "--raw and --stage are two answers to one question: give one of them",
        ),
        (("photos", "--raw"), "--raw is for run directories, and photos is none: leave it out"),
        (
            ("runs/p/curators/docta", "--raw"),
            "runs/p/curators/docta is a stage already: give runs/p with --raw or --stage",
        ),
        (
            ("runs/p", "--stage", "docta"),
            "the run has no stage 'docta' with a dataset: choose curators/relabel, "
            "curators/docta, collector",
        ),
        (
            ("runs/p/detectors/simifeat",),
            "runs/p/detectors/simifeat is a stage without a dataset: export the run, runs/p, or a "
            "curator's stage",
        ),
    ]
    for words, message in cases:
        assert adc(place, "export", *words, *out, code=2)[1] == f"adc: {message}\n"
    assert not (tmp_path / "x").exists()


def test_a_run_that_is_not_finished(place, tmp_path):
    shutil.copytree(place / "runs/p", tmp_path / "runs/p")
    shutil.copytree(place / "photos", tmp_path / "photos")
    record = tmp_path / "runs/p/run.json"
    record.write_text(record.read_text().replace('"finished": true', '"finished": false'))
    out = ("--as", "image-folder", "--to", "x")
    assert adc(tmp_path, "export", "runs/p", *out, code=2)[1] == (
        "adc: the run in runs/p is not finished: run it again to the end, or export what was "
        "collected with --raw\n"
    )
    assert adc(tmp_path, "export", "runs/p", "--raw", *out)[0] == f"{ROWS} samples: x\n"
