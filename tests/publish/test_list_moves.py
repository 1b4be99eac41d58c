"""Moves and removals that a run would make in a folder of one's own: listed, and decided upon."""

import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from photo_folder import CLASSES, PIPELINE, adc, content, read_list, write_list

from adc_core import read_dataset, read_run, save_dataset


@pytest.fixture
def own(repaired, tmp_path):
    """The folder, its run and the list of what the run would change."""
    shutil.copytree(repaired / "photos", tmp_path / "photos")
    shutil.copytree(repaired / "runs", tmp_path / "runs")
    written, _ = adc(tmp_path, "export", "runs/p", "--as", "moves", "--to", "moves.csv")
    assert written == "4 moves, 11 removals: moves.csv\n"
    return tmp_path


def test_what_curators_changed_is_listed(own):
    run, listed = read_run(own / "runs/p"), read_list(own / "moves.csv")
    before = dict(zip(run.collected.ids.tolist(), run.collected.labels.tolist(), strict=True))
    after = dict(zip(run.curated.ids.tolist(), run.curated.labels.tolist(), strict=True))
    changed = {name for name in before if after.get(name) != before[name]}
    assert {line["path"] for line in listed} == changed
    ranks = [int(line["rank"]) for line in listed]
    assert ranks == sorted(set(ranks))
    for line in listed:
        name = line["path"]
        assert line["apply"] == "yes"
        assert line["given"] == CLASSES[before[name]]
        assert line["folder"] == str(own / "photos")
        assert line["sha256"] == sha256((own / "photos" / name).read_bytes()).hexdigest()
        assert line["flagged_by"]
        if name in after:
            assert (line["action"], line["suggested"]) == ("move", CLASSES[after[name]])
            wanted = Path(line["suggested"], *Path(name).parts[1:])
            taken = (own / "photos" / wanted).exists()
            assert line["to"] == str(
                wanted.with_name(f"{wanted.stem}-2{wanted.suffix}") if taken else wanted
            )
        else:
            assert (line["action"], line["to"]) == ("remove", "")
    twice = next(line for line in listed if "relabel: " in line["reason"])
    assert "; docta: flagged by" in twice["reason"]


@pytest.mark.parametrize("curators", [None, "[{use: relabel, min_confidence: 0.8}]"])
def test_flags_are_listed_for_a_person_where_no_curator_decided(repaired, tmp_path, curators):
    shutil.copytree(repaired / "photos", tmp_path / "photos")
    shutil.copytree(repaired / "runs", tmp_path / "runs")  # what the detectors found is reused
    pipeline, _, _ = PIPELINE.partition("curators")
    pipeline += "" if curators is None else f"curators: {curators}\n"
    (tmp_path / "p.yaml").write_text(pipeline)
    adc(tmp_path, "run", "p.yaml")
    run = read_run(tmp_path / "runs/p")
    changed = {one for done in run.curations.values() for one in done.changes["id"].to_pylist()}
    flagged = {name for one in run.findings.values() for name in one.ids[one.flagged].tolist()}
    assert len(changed) == (0 if curators is None else 1)
    written, _ = adc(tmp_path, "export", "runs/p", "--as", "moves", "--to", "moves.csv")
    assert written == (
        f"{len(changed)} moves, 0 removals: moves.csv\n"
        f"{len(flagged - changed)} more are flagged: write yes under `apply` where you agree\n"
    )
    listed = read_list(tmp_path / "moves.csv")
    assert {line["path"] for line in listed} == flagged
    assert {line["path"] for line in listed if line["apply"] == "yes"} == changed
    assert {line["action"] for line in listed} >= {"move"}
    ranks = [int(line["rank"]) for line in listed]
    assert ranks == sorted(ranks)
    before = content(tmp_path / "photos")
    adc(tmp_path, "apply", "moves.csv")
    after = content(tmp_path / "photos")
    assert {name for name in before if name not in after} == changed


def test_a_list_is_carried_out_and_undone(own):
    before, curated = content(own / "photos"), read_run(own / "runs/p").curated
    expected = {sha256(before[name]).hexdigest(): None for name in curated.ids.tolist()}
    for place, name in enumerate(curated.ids.tolist()):
        expected[sha256(before[name]).hexdigest()] = CLASSES[curated.labels[place]]
    removed = {line["path"] for line in read_list(own / "moves.csv") if line["action"] == "remove"}

    written, told = adc(own, "apply", "moves.csv")
    assert (written, told) == (
        f"4 moved, 11 removed to photos-removed: {own / 'photos'}\n"
        "undo: adc apply moves.csv --undo\n",
        "",
    )
    cleaned = read_dataset(own / "photos")
    for place, name in enumerate(cleaned.ids.tolist()):
        digest = sha256((own / "photos" / name).read_bytes()).hexdigest()
        assert expected.pop(digest) == cleaned.classes[cleaned.labels[place]]
    assert not expected
    assert content(own / "photos-removed") == {name: before[name] for name in removed}
    # The run is not one of this folder any more, and says so.
    assert adc(own, "export", "runs/p", "--as", "moves", "--to", "x.csv", code=2)[1] == (
        "adc: photos has changed since the run in runs/p (it has other samples or labels): "
        "run it again\n"
    )

    assert adc(own, "apply", "moves.csv")[0].splitlines()[1] == "15 of them before"
    written, _ = adc(own, "apply", "moves.csv", "--undo")
    assert written == f"15 put back: {own / 'photos'}\n"
    assert content(own / "photos") == before
    assert not (own / "photos-removed").exists()
    assert not (own / "moves.csv.journal").exists()
    assert adc(own, "apply", "moves.csv", "--undo", code=2)[1] == (
        "adc: moves.csv.journal is not there: nothing of moves.csv was applied\n"
    )


def test_a_folder_of_splits_keeps_them(repaired, tmp_path):
    for split in ("train", "val"):
        shutil.copytree(repaired / "photos", tmp_path / "photos" / split)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    adc(tmp_path, "run", "p.yaml")
    adc(tmp_path, "export", "runs/p", "--as", "moves", "--to", "moves.csv")
    before = content(tmp_path / "photos")
    lines = read_list(tmp_path / "moves.csv")
    for line in lines:
        assert (line["to"] or line["path"]).split("/")[0] == line["path"].split("/")[0]
        assert line["path"].split("/")[1] == line["given"]
        assert not line["to"] or line["to"].split("/")[1] == line["suggested"]
    assert any(line["to"] for line in lines)
    adc(tmp_path, "apply", "moves.csv")
    adc(tmp_path, "apply", "moves.csv", "--undo")
    assert content(tmp_path / "photos") == before


def test_a_dry_run_does_nothing(own):
    before = content(own)
    written, _ = adc(own, "apply", "moves.csv", "--dry-run")
    lines = written.splitlines()
    assert len(lines) == 16
    assert lines[-1] == "15 files would be moved; nothing was done"
    assert sum("-> photos-removed/" in line for line in lines) == 11
    assert content(own) == before
    adc(own, "apply", "moves.csv")
    after = content(own)
    written, _ = adc(own, "apply", "moves.csv", "--undo", "--dry-run")
    assert written.splitlines()[-1] == lines[-1]
    assert content(own) == after


def test_a_person_decides(own):
    """No under `apply`, another class, a removal in place of a move; and a spreadsheet's commas."""
    rows = read_list(own / "moves.csv")
    moves = [one for one in rows if one["action"] == "move"]
    moves[0]["apply"] = "No"
    moves[1]["to"] = "unclear/other name.png"
    moves[2]["action"] = "remove"
    for one in rows:
        one["apply"] = "TRUE" if one["apply"] == "yes" else one["apply"]
    write_list(own / "moves.csv", rows, delimiter=";")
    (own / "moves.csv").write_text("\ufeff" + (own / "moves.csv").read_text())
    before = content(own / "photos")
    written, _ = adc(own, "apply", "moves.csv")
    assert written.startswith("2 moved, 12 removed to photos-removed")
    after = content(own / "photos")
    assert after[moves[0]["path"]] == before[moves[0]["path"]]
    assert after["unclear/other name.png"] == before[moves[1]["path"]]
    assert content(own / "photos-removed")[moves[2]["path"]] == before[moves[2]["path"]]
    adc(own, "apply", "moves.csv", "--undo")
    assert content(own / "photos") == before


def test_what_has_no_folder_to_clean(repaired, tmp_path):
    save_dataset(read_run(repaired / "runs/p").curated, tmp_path / "saved")
    cases = [
        (
            ("photos",),
            "photos is no run: run `adc run` or `adc detect` on the folder, and give the run "
            "directory",
        ),
        (
            ("runs/p", "--split", "val=0.1"),
            "--split is for the other forms: moves stay within the folder",
        ),
    ]
    for words, message in cases:
        told = adc(repaired, "export", *words, "--as", "moves", "--to", tmp_path / "x.csv", code=2)
        assert told[1] == f"adc: {message}\n"
    told = adc(repaired, "export", "runs/p", "--as", "moves", "--to", tmp_path / "x", code=2)[1]
    assert told == f"adc: --to {tmp_path / 'x'}: a list of moves is a .csv file\n"
