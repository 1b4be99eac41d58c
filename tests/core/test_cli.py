"""The command line as users run it: in a process of its own."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from adc_process import run_adc
from importlib_metadata import version
from PIL import Image

from adc_core.cli import program as cli

ADC = Path(sys.executable).with_name("adc")


def adc(*words, cwd=None, **environment):
    return run_adc(*words, cwd=cwd, env={**os.environ, **environment})


def test_list_prints_every_component_with_its_summary():
    result = adc("list")
    assert result.returncode == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) >= 17
    for line in lines:
        assert line.endswith("."), f"no summary: {line}"
    assert any(
        line.split()[:3] == ["detectors", "simifeat", "adc-plugins-detect"] for line in lines
    )


def test_list_of_one_kind_and_of_no_kind():
    assert {line.split()[0] for line in adc("list", "metrics").stdout.splitlines()} == {"metrics"}
    wrong = adc("list", "detector")
    assert wrong.returncode == 2
    assert wrong.stderr == 'adc: there is no kind "detector": did you mean "detectors"?\n'


def test_show_prints_options_and_license():
    result = adc("show", "detectors", "simifeat")
    assert result.returncode == 0
    assert result.stdout.startswith("adc-plugins-detect/simifeat\n")
    assert "requires: neighbors" in result.stdout
    assert "  k: int = 10 (≥ 3)  " in result.stdout
    assert result.stdout.endswith("package: adc-plugins-detect 0.1.0, Apache-2.0\n")


def test_show_of_something_unknown():
    result = adc("show", "detectors", "simifeet")
    assert result.returncode == 2
    assert result.stderr == ('adc: adc.detectors has no "simifeet": did you mean "simifeat"?\n')


def test_check_runs_the_promises_of_a_component():
    result = adc("check", "curators", "drop")
    assert result.returncode == 0, result.stderr
    assert "kept    check_records_every_change: Require that all" in result.stdout


def test_help_names_all_commands():
    result = adc("--help")
    assert result.returncode == 0
    for command in ("list", "show", "check", "run", "gallery"):
        assert f"\n    {command} " in result.stdout


def test_light_commands_import_nothing_heavy():
    code = (
        "import sys\nfrom adc_core.cli import main\n"
        "try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "heavy = {{'numpy', 'torch', 'pydantic', 'pyarrow', 'sklearn', 'pluggy'}}\n"
        "print(sorted(m for m in sys.modules if m in heavy or m.startswith('adc_plugins')),"
        " file=sys.stderr)"
    )
    for words in (["list"], ["--help"]):
        result = subprocess.run(
            [sys.executable, "-c", code.format(words=words)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stderr == "[]\n"


@pytest.fixture
def digits(tmp_path):
    """An image folder of two shapes."""
    rng = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 130)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(low, low + 120, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path


def run(folder, text, **environment):
    (folder / "p.yaml").write_text(text)
    return adc("run", "p.yaml", "--out", "out", cwd=folder, **environment)


GOOD = """
dataset: data
simulators: [{use: symmetric, rate: 0.2}]
encoder: {use: pixels, components: 8}
detectors: [{use: simifeat, k: 5}]
curators: [drop]
metrics: [detection]
"""


def test_a_run_prints_tables_and_is_silent_without_a_terminal(digits):
    result = run(digits, GOOD)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "simifeat" in result.stdout
    assert result.stdout.endswith("report: out/report.html\n")
    assert json.loads((digits / "out" / "run.json").read_text())["finished"]


def test_a_second_run_says_what_it_reused(digits):
    assert "reused" not in run(digits, GOOD).stdout
    again = run(digits, GOOD).stdout
    assert "\nreused: all 7 stages: nothing they depend on has changed\n" in again
    other = GOOD.replace("k: 5", "k: 5, rule: vote")
    assert "\nreused: 4 of 7 stages\n" in run(digits, other).stdout


def test_blocked_listeners_are_left_out(digits):
    (digits / "p.yaml").write_text(GOOD)
    blocked = ("--block", "adc-plugins-publish/html-report")
    result = adc("run", "p.yaml", "--out", "out", *blocked, cwd=digits)
    assert result.stdout.endswith("run: out\n")
    assert not (digits / "out" / "report.html").exists()


def bomb(folder):
    from struct import pack
    from zlib import crc32

    def chunk(kind, data):
        return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))

    header = chunk(b"IHDR", pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0))
    (folder / "data" / "dark" / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )


def empty(folder):
    for path in (folder / "data").rglob("*.png"):
        path.unlink()


def one_class(folder):
    for path in (folder / "data" / "light").iterdir():
        path.unlink()
    (folder / "data" / "light").rmdir()


def manifest(text):
    return lambda folder: (folder / "m.csv").write_text(text)


def arrays(**columns):
    return lambda folder: np.savez(folder / "d.npz", **columns)


def nothing(folder):
    """Leave the data as they are."""


ASK = """
brief: {subject: x, classes: [a, b], samples_per_query: 3}
designer: attributes
searchers: [{use: google, base_url: "http://127.0.0.1:9/"}]
collector: downloader
"""


@pytest.mark.parametrize(
    ("prepare", "text", "message"),
    [
        (nothing, "datset: data",
         'p.yaml: datset: there is no key "datset": did you mean "dataset"?'),
        (nothing, "dataset: data\ndetectors: [simifeet]",
         'p.yaml: detectors.0: adc.detectors has no "simifeet": did you mean "simifeat"?'),
        (nothing, "dataset: data\ndetectors: [{use: simifeat, k: ten}]",
         "p.yaml: detectors.0.k: Input should be a valid integer, unable to parse string as an "
         "integer"),
        (nothing, "dataset: nowhere",
         "nowhere does not exist: give a folder, a manifest or a .npz file"),
        (empty, "dataset: data",
         "data/dark holds no images (.bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp)"),
        (one_class, "dataset: data", "only 1 class (dark): give at least two"),
        (nothing, "dataset: data\ndetectors: [simifeat]",
         'p.yaml: detectors.0: simifeat reads "neighbors", which nothing here adds: neighbors '
         "come from features, so add {use: patches} of adc-plugins-detect to encoder"),
        (nothing, "dataset: data\nencoder: pixels\ndetectors: [confident-learning]",
         'p.yaml: detectors.0: confident-learning reads "probabilities", which nothing here adds: '
         "add {use: ridge-probe} of adc-plugins-detect to enrichers"),
        (manifest("id,label\na,x\na,y\n"), "dataset: m.csv",
         "ids: duplicate id a in row 1: make ids distinct"),
        (manifest("id,label\na,../../x\nb,y\n"), "dataset: m.csv",
         "classes.0: '../../x' cannot be a class name: it becomes a folder, so use no slashes, "
         "control characters or bare dots"),
        (arrays(labels=[0, 7], classes=["a", "b"]), "dataset: d.npz",
         "labels: row 1 (id 1) is 7, expected 0…1"),
        (arrays(labels=[0, 1], features=[[0.0], [np.nan]]), "dataset: d.npz",
         "features: row 1 is not finite (NaN or infinity): expected finite float32"),
        (arrays(labels=[0, 1], features=[[0.0]]), "dataset: d.npz",
         "features has 1 rows but ids have 2"),
        (nothing, ASK,
         "GOOGLE_API_KEY"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(digits, prepare, text, message):
    prepare(digits)
    result = run(digits, text, GOOGLE_API_KEY="", GOOGLE_CSE_ID="")
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert message in line.replace(f"{digits}/", "")
    stages = [path.name for path in (digits / "out").rglob("stage.json")]
    assert stages in ([], ["stage.json"])  # the design of a collection that then fails


def test_images_that_cannot_be_used_are_left_out_or_refused(digits):
    bomb(digits)
    (digits / "data" / "light" / "junk.jpg").write_text("junk")
    result = run(digits, "dataset: data\nencoder: pixels\n")
    assert result.returncode == 0, result.stderr
    assert result.stderr == (
        "adc: warning: left out 2 of 42 images, which cannot be used: dark/bomb.png (too large), "
        "light/junk.jpg (not an image); out/dataset/broken.csv lists all\n"
    )
    assert len(np.load(digits / "out" / "encoder" / "features.npy")) == 40
    assert run(digits, "dataset: data\nencoder: pixels\n").stderr == result.stderr
    stages = json.loads((digits / "out" / "run.json").read_text())["stages"]
    assert stages["dataset"]["reused"]
    refused = adc("run", "p.yaml", "--out", "out", "--strict", cwd=digits)
    assert refused.returncode == 2
    assert refused.stderr == (
        "adc: p.yaml: dark/bomb.png: too large (9000 × 9000 pixels): replace or remove it\n"
        "adc: p.yaml: light/junk.jpg: not an image: replace or remove it\n"
    )


def test_check_looks_at_every_path(digits):
    (digits / "p.yaml").write_text("dataset: data\ntest: nowhere\ntruth: gone.csv\n")
    result = adc("check", "p.yaml", cwd=digits)
    assert result.returncode == 2
    assert result.stderr == (
        "adc: p.yaml: test: nowhere does not exist: give a folder, a manifest or a .npz file\n"
        "adc: p.yaml: truth: gone.csv does not exist: fix the path\n"
    )
    (digits / "p.yaml").write_text("dataset: data\ntest: ./data/../data\n")
    assert adc("check", "p.yaml", cwd=digits).stderr == (
        "adc: p.yaml: test: data/../data is the dataset itself: give samples that no training has "
        "seen, or leave test out\n"
    )
    (digits / "m.csv").write_text("path,label\ndata/dark/1.png,a\nno.png,b\n")
    (digits / "p.yaml").write_text("dataset: m.csv\nencoder: pixels\n")
    result = adc("check", "p.yaml", cwd=digits)
    assert (result.returncode, result.stdout) == (0, "p.yaml: all is well\n")
    assert result.stderr == (
        "adc: warning: left out 1 of 2 images, which cannot be used: no.png (missing); "
        "a run would leave them out\n"
    )


def test_a_traceback_only_on_request(digits):
    (digits / "p.yaml").write_text("dataset: nowhere")
    result = adc("run", "p.yaml", "--out", "out", "--debug", cwd=digits)
    assert result.returncode == 1
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["detct"], 'there is no command "detct": did you mean "detect"?'),
        (["detect", "x", "--fats"], 'there is no option "--fats": did you mean "--fast"?'),
        (
            ["detect"],
            "the following arguments are required: dataset (adc detect --help shows the arguments)",
        ),
        (["detect", "a", "b"], "unexpected argument: b (adc --help shows the arguments)"),
        (["check", "detectors"], "say which of detectors: adc check detectors NAME"),
        (
            ["check", "simifeat"],
            "simifeat is not a file: adc check detectors simifeat checks the component",
        ),
        (["run", "."], ". is a folder: give the path of a pipeline file"),
    ],
)
def test_words_that_do_not_fit_are_one_line(tmp_path, words, message):
    result = adc(*words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"adc: {message}\n"


def test_without_a_command_the_help_is_shown():
    result = adc()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: adc [-h] [--version] COMMAND ...")
    assert "detect" in result.stderr


def test_the_versions():
    lines = adc("--version").stdout.splitlines()
    assert lines[0] == f"adc-core {version('adc-core')}"
    assert f"adc-plugins-detect {version('adc-plugins-detect')}" in lines
    assert lines[-1] == f"Python {platform.python_version()}"


def test_a_kind_alone_is_listed():
    assert adc("show", "detectors").stdout == adc("list", "detectors").stdout


def test_the_traceback_wherever_it_is_asked_for(tmp_path):
    for words in (["--debug", "run", "no.yaml"], ["run", "--debug", "no.yaml"]):
        assert "Traceback" in adc(*words, cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("adc de", {"detect", "design"}),
        ("adc detect --enc", {"--encoder "}),
        ("adc show detectors simi", {"simifeat "}),
        ("adc check enri", {"enrichers "}),
        ("adc detect photos --use data", {"data-maps "}),
    ],
)
def test_a_shell_completes_commands_options_and_names(line, completed):
    pytest.importorskip("argcomplete")
    asked = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE": "1"}
    out, into = os.pipe()  # a shell reads the answer from descriptor 8
    subprocess.run(
        ["bash", "-c", f'"{ADC}" 8>&{into} 9>/dev/null >/dev/null 2>&1'],
        env={**os.environ, **asked, "_ARGCOMPLETE_IFS": "\n"},
        pass_fds=[into],
        timeout=120,
        check=False,
    )
    os.close(into)
    with os.fdopen(out) as answer:
        assert set(answer.read().split("\n")) == completed


def test_a_command_of_a_package_that_is_not_there(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_commands", dict)
    assert cli.main(["export", "x"]) == 2
    assert capsys.readouterr().err == (
        'adc: the command "export" is not installed: pip install adc-plugins-publish\n'
    )
