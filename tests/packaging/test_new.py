"""`adc new` writes packages that build, keep their promises and work together as they are."""

import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adc_core.cli import main
from adc_core.cli.new import package_files
from adc_core.components.kinds import KINDS

ROOT = Path(__file__).parents[2]
KINDS_TO_WRITE = [kind.removesuffix("s") for kind in (*KINDS, "listeners", "commands")]
LONGEST = "a-name-that-has-thirty-letters"
PROBLEMS = {
    ("detector", "Mine"): '"Mine" is no name: use small letters, digits and hyphens: my-detector',
    ("detector", "a--b"): '"a--b" is no name: use small letters, digits and hyphens: my-detector',
    ("detector", "m" * 31): f'"{"m" * 31}" has 31 letters: use at most 30',
    ("detector", "simifeat"): (
        'adc-plugins-detect already has the detector "simifeat": choose another name'
    ),
    ("command", "run"): 'adc-core already has the command "run": choose another name',
    ("metric", "adc-core"): '"adc-core" is a package of ADC itself: choose another name',
    ("metric", "class"): '"class" is already a module of Python: choose another name',
    ("metric", "json"): '"json" is already a module of Python: choose another name',
    ("metric", "numpy"): '"numpy" is already a module of Python: choose another name',
    ("detector", "dataset"): (
        "the class would be called Dataset, as another thing is in its code: choose another name"
    ),
    ("learner", "linear-model"): (
        "the class would be called LinearModel, as another thing is in its code: "
        "choose another name"
    ),
    ("detectr", "mine"): 'there is no kind "detectr": did you mean "detector"?',
}


@pytest.mark.parametrize(("words", "problem"), PROBLEMS.items(), ids=str)
def test_what_cannot_be_a_package_is_refused(words, problem, tmp_path, capsys):
    assert main(["new", *words, "--into", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"adc: {problem}\n"
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    assert main(["new", "detector", "mine", "--into", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"adc: {tmp_path / 'mine'} already exists: choose another name, or remove it\n"
    )
    assert not list((tmp_path / "mine").iterdir())


def test_the_plural_says_the_same():
    assert package_files("detectors", "mine")["tests/test_mine.py"].count("Mine") == 5


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a package of each kind, and others of the longest name."""
    folder = tmp_path_factory.mktemp("new")
    for kind in KINDS_TO_WRITE:
        assert main(["new", kind, f"my-{kind}", "--into", str(folder)]) == 0
        assert main(["new", kind, LONGEST, "--into", str(folder / "long" / kind)]) == 0
    return folder


def test_it_says_what_to_type_next(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["new", "detector", "mine"])
    assert capsys.readouterr().out.splitlines() == [
        "mine is a package with the detector mine. Next:",
        "  cd mine",
        "  pip install -e .",
        "  adc check detectors mine",
    ]


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids=" ".join)
def test_the_code_is_formatted_and_linted(written, words):
    command = [sys.executable, "-m", "ruff", *words, "--no-cache", "."]
    done = subprocess.run(command, cwd=written, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.install
def test_the_code_is_typed(written):
    if find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    sources = [str(written / f"my-{kind}" / "src") for kind in KINDS_TO_WRITE]
    tests = [str(written / f"my-{kind}" / "tests") for kind in KINDS_TO_WRITE]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", written, *sources, *tests],
        cwd=written / "my-detector",
        env=os.environ | {"MYPYPATH": os.pathsep.join(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.install
def test_the_wheel_has_every_template(wheel_of, tmp_path):
    with zipfile.ZipFile(wheel_of(ROOT / "adc_core", tmp_path)) as wheel:
        packed = set(wheel.namelist())
    source = ROOT / "adc_core" / "src"
    templates = list(source.glob("adc_core/cli/templates/*/*.txt"))
    assert len(templates) > 40
    assert packed >= {path.relative_to(source).as_posix() for path in templates}


@pytest.fixture(scope="module")
def shell(written, wheel_of, environment):
    """An environment in which all of them are installed from their wheels."""
    made = environment("everything")
    made.install(
        "--no-index", *(wheel_of(written / f"my-{kind}", written) for kind in KINDS_TO_WRITE)
    )
    return made


@pytest.mark.install
def test_their_own_tests_pass(written, shell):
    folders = [written / f"my-{kind}" / "tests" for kind in KINDS_TO_WRITE]
    said = shell.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *folders).stdout
    assert re.search(r"^\d{3} passed", said, re.M)


class Gallery(SimpleHTTPRequestHandler):
    """Answers searches in the form that the searcher of the template reads, and sends images."""

    def do_GET(self):
        if not self.path.startswith("/search?q="):
            super().do_GET()
            return
        color = self.path.partition("=")[2].partition("&")[0].rpartition("+")[2]
        urls = [f"http://{self.headers['Host']}/{color}/{n}.png" for n in range(20)]
        content = json.dumps({"images": [{"url": url} for url in urls]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture
def gallery(tmp_path):
    """The address of a gallery of red and green squares."""
    rng = np.random.default_rng(0)
    for channel, color in enumerate(("red", "green")):
        (tmp_path / color).mkdir()
        for number in range(20):
            pixels = rng.integers(0, 90, (16, 16, 3))
            pixels[..., channel] += 120
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / color / f"{number}.png")
    handler = partial(Gallery, directory=tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


PIPELINE = """
brief: {{subject: squares, classes: [red, green], samples_per_query: 20}}
designer: my-designer
searchers: [{{use: my-searcher, base_url: "{gallery}"}}]
collector: my-collector
simulators: [{{use: my-simulator, rate: 0.1}}]
encoder: my-encoder
enrichers: [my-enricher]
detectors: [{{use: my-detector, k: 5}}]
curators: [my-curator]
learners: [my-learner]
test: {test}
metrics: [my-metric]
"""


@pytest.mark.install
def test_they_work_together(shell, gallery, tmp_path):
    pipeline = tmp_path / "all.yaml"
    (tmp_path / "test").mkdir()
    for color, rgb in (("red", (180, 50, 50)), ("green", (50, 180, 50))):
        (tmp_path / "test" / color).mkdir()
        Image.new("RGB", (16, 16), rgb).save(tmp_path / "test" / color / "1.png")
    pipeline.write_text(PIPELINE.format(gallery=gallery, test=tmp_path / "test"))
    listed, *checked, ran, counted = shell.adc_in_turn(
        ("list",),
        *(("check", kind, f"my-{kind.removesuffix('s')}") for kind in KINDS),
        ("run", pipeline, "--out", tmp_path / "run"),
        ("my-command", tmp_path / "run" / "collector"),
    )
    for kind, said in zip(KINDS, checked, strict=True):
        one = kind.removesuffix("s")
        assert re.search(rf"^{kind} +my-{one} +my-{one} 0\.1\.0 +[A-Z].*\.$", listed, re.M)
        assert {line.split()[0] for line in said.splitlines()} == {"kept"}
    assert counted == "20  red\n20  green\n"
    assert "my-detector" in ran
    (measured,) = (tmp_path / "run" / "metrics" / "my-metric").glob("measurements.json")
    assert [one["value"] for one in json.loads(measured.read_text())] == [1.0, 1.0]
