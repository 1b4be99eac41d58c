"""`adc audit` as users call it, on a run of scanned digits of which a tenth is labelled wrongly."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from adc_process import run_adc
from PIL import Image
from playwright.sync_api import expect
from sklearn.datasets import load_digits

ADC = str(Path(sys.executable).with_name("adc"))
ROWS = 600


def adc(folder, *words):
    return run_adc(*words, cwd=folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """`digits`, a folder, its findings, and an audit of them; with the true names of the files."""
    folder = tmp_path_factory.mktemp("audit")
    digits = load_digits()
    random = np.random.default_rng(0)
    truth = digits.target[:ROWS]
    wrong = random.random(ROWS) < 0.1
    given = np.where(wrong, (truth + random.integers(1, 10, ROWS)) % 10, truth)
    true = {}
    for row in range(ROWS):
        path = folder / "digits" / f"no. {given[row]}" / f"{row:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[row] * 15.9).astype(np.uint8)).save(path)
        true[path.relative_to(folder / "digits").as_posix()] = f"no. {truth[row]}"
    done = adc(folder, "detect", "digits", "--fast")
    assert done.returncode == 0, done.stderr
    done = adc(folder, "audit", "runs/digits-detect", "-n", 150)
    assert done.returncode == 0, done.stderr
    return folder, true, done


@pytest.fixture
def listed(place):
    """The lines of the list, to be filled in."""
    with (place[0] / "runs/digits-detect-audit/audit.csv").open(newline="") as file:
        return [{**line, "wrong": ""} for line in csv.DictReader(file)]


def save(lines, path):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)


def judge(line, true):
    line["wrong"] = "no" if true[line["id"]] == line["given"] else "yes"


def test_what_is_drawn(place, listed):
    folder, _, done = place
    audit = "runs/digits-detect-audit"
    assert done.stdout == (
        f"150 labels to look at: {audit}/index.html\n"
        f"write yes, no or not sure under `wrong` in {audit}/audit.csv, or click in the page and "
        f"save the list from there; then\nadc audit runs/digits-detect --read {audit}/audit.csv\n"
    )
    assert [line["number"] for line in listed] == [str(n) for n in range(1, 151)]
    assert list(listed[0]) == ["number", "id", "path", "given", "wrong", "true_label"]
    images = sorted((folder / audit / "images").iterdir())
    assert len(images) == 150
    for line, image in zip(listed, images, strict=True):
        assert image.name == f"{int(line['number']):03}_{line['given'].replace('. ', '_')}.png"
        original = Image.open(folder / "digits" / line["path"]).convert("RGB")
        assert np.array_equal(Image.open(image), original)
    page = (folder / audit / "index.html").read_text()
    assert all(f'src="images/{image.name}"' in page for image in images)
    assert "suspicion" not in page


def test_the_answer(place, listed):
    folder, true, _ = place
    for line in listed:
        judge(line, true)
    path = folder / "runs/digits-detect-audit/audit.csv"
    save(listed, path)
    before = path.read_bytes()
    done = adc(folder, "audit", "runs/digits-detect", "--read", path.relative_to(folder))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads((path.parent / "audit.json").read_text())
    wrong = np.mean([name.split("/")[0] != label for name, label in true.items()])
    rate = told["noise_rate"]
    assert rate["low"] <= wrong <= rate["high"]
    assert rate["high"] - rate["low"] < 0.1
    assert told["judged"] == 150
    assert told["precision"]["low"] > 0.5
    lines = done.stdout.splitlines()
    assert lines[0].startswith("wrong labels: ")
    assert lines[0].endswith(" by 150 labels looked at")
    assert lines[1].startswith("of the ")
    assert lines[1].endswith(" are wrong")
    assert lines[2].startswith("of the wrong labels, ")
    assert lines[-1] == "answer: runs/digits-detect-audit/audit.json"
    again = adc(folder, "audit", "runs/digits-detect")
    assert again.returncode != 0
    assert again.stderr == (
        "adc: runs/digits-detect-audit/audit.csv already exists and is not overwritten: fill it "
        "in and give it with --read, or choose another folder with --to\n"
    )
    assert path.read_bytes() == before


def test_a_partly_filled_list_from_elsewhere(place, listed, tmp_path):
    folder, true, _ = place
    for line in listed[:100]:
        judge(line, true)
    listed[3]["wrong"] = "not sure"
    listed[7]["wrong"] = listed[8]["wrong"] = ""
    save(listed[::-1], tmp_path / "audit (1).csv")
    done = adc(folder, "audit", "runs/digits-detect", "--read", tmp_path / "audit (1).csv")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].endswith(" by 97 labels looked at")
    assert done.stderr == (
        "adc: 1 label not sure: counted both ways, the range is wider\n"
        "adc: 2 labels without an answer before the last one: counted both ways, since what is "
        "skipped may be what is hard; fill them in for a narrower range\n"
        "adc: 50 labels at the end not looked at: left out, which does no harm, for the order is "
        "random\n"
    )


def test_a_bad_list_changes_nothing(place, listed, tmp_path):
    folder, _, _ = place
    stored = folder / "runs/digits-detect-audit/audit.json"
    before = stored.read_bytes() if stored.exists() else None
    listed[0]["wrong"] = "perhaps"
    save(listed, tmp_path / "bad.csv")
    done = adc(folder, "audit", "runs/digits-detect", "--read", tmp_path / "bad.csv")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr == (
        f"adc: {tmp_path}/bad.csv, line 2: wrong is 'perhaps': write yes, no or not sure, or leave "
        "it empty\n"
    )
    assert (stored.read_bytes() if stored.exists() else None) == before


def test_the_same_seed_draws_the_same_bytes(place, tmp_path):
    folder, _, _ = place
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        to = tmp_path / name / "audit"
        words = ("audit", "runs/digits-detect", "-n", 20, "--seed", seed, "--to", to)
        assert adc(folder, *words).returncode == 0
    bytes_of = [
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in "abc"
    ]
    assert bytes_of[0] == bytes_of[1] != bytes_of[2]


def test_an_audit_of_another_run_and_a_run_without_findings(place, tmp_path):
    folder, _, _ = place
    np.savez(
        tmp_path / "other.npz", labels=np.arange(60) % 3, probabilities=np.full((60, 3), 1 / 3)
    )
    words = ("detect", tmp_path / "other.npz", "--out", tmp_path / "run")
    assert adc(folder, *words, "--use", "predicted-differs").returncode == 0
    read = folder / "runs/digits-detect-audit/audit.csv"
    done = adc(folder, "audit", tmp_path / "run", "--read", read)
    assert done.stderr == (
        f"adc: {read.parent} is an audit of other samples or labels than this run has: name the "
        "run that it was made of, or audit anew with --to\n"
    )
    done = adc(folder, "audit", tmp_path / "run", "-n", 9)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run-audit" / "images").exists()
    (tmp_path / "p.yaml").write_text(f"dataset: {tmp_path}/other.npz\n")
    ran = adc(folder, "run", tmp_path / "p.yaml", "--out", tmp_path / "bare")
    assert ran.returncode == 0, ran.stderr
    done = adc(folder, "audit", tmp_path / "bare")
    assert done.stderr == (
        f"adc: {tmp_path}/bare has no findings: run `adc detect`, or a pipeline with detectors\n"
    )
    assert not (tmp_path / "bare-audit").exists()


def test_the_page_saves_what_was_clicked(place, browser, tmp_path):
    folder, _, _ = place
    page = (folder / "runs/digits-detect-audit/index.html").read_text()
    script = (
        "<script>for (const key of 'wru') document.dispatchEvent(new KeyboardEvent('keydown', "
        "{key}));\nURL.createObjectURL = blob => { blob.text().then(text => { "
        "document.title = text.split('\\n').slice(1, 5).map(line => line.split(',').at(-2))"
        ".join('/'); }); return '#'; };\ndocument.getElementById('save').click();</script>"
    )
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{script}</body>"))
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    expect(page).to_have_title("yes/no/not sure/")
    expect(page.get_by_text("3 of 150 judged.")).to_be_visible()
    page.close()
