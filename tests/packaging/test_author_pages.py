"""The pages for authors, copied literally: each builds, installs, keeps its promises and works."""

import io
import json
import re
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image

pytestmark = pytest.mark.install

DOCS = Path(__file__).parents[2] / "docs"
FILE = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def copied(tmp_path_factory, wheel_of, environment, archive_port):
    """Writes the files of a page, builds what they make and installs it, once for each page."""

    @cache
    def copy(page):
        text = (DOCS / page).read_text().replace("9911", str(archive_port))
        folder = tmp_path_factory.mktemp("mine")
        for name, content in FILE.findall(text):
            (folder / name).write_text(content)
        assert "pip install .\nadc check " in text
        shell = environment("everything")
        shell.install("--no-index", wheel_of(folder, folder))
        return folder, shell

    return copy


@pytest.mark.parametrize(
    ("page", "kind", "name"),
    [
        ("publish-a-detector.md", "detectors", "majority"),
        ("write-a-searcher.md", "searchers", "archive"),
        ("write-a-learner.md", "learners", "bounded"),
    ],
)
def test_the_component_keeps_its_promises(copied, page, kind, name):
    assert f"adc check {kind} {name}\n" in (DOCS / page).read_text()
    _, shell = copied(page)
    checked = shell.adc("check", kind, name)
    assert checked.stderr == ""
    assert {line.split()[0] for line in checked.stdout.splitlines()} == {"kept"}


class Archive(BaseHTTPRequestHandler):
    """Answers as the page says that an archive does."""

    def do_GET(self):
        asked = urlparse(self.path)
        if asked.path == "/search":
            words = parse_qs(asked.query)
            start = int(words["start"][0])
            shown = [
                {"url": f"http://{self.headers['Host']}/{words['q'][0].split()[0]}/{number}.png"}
                for number in range(start, min(start + 20, 25))
            ]
            told = {"images": shown, "next": str(start + 20) if start + 20 < 25 else None}
            content = json.dumps(told).encode()
        elif asked.path == "/robots.txt":
            content = b""
        else:
            _, color, file = asked.path.split("/")
            shade = 100 + 5 * int(file.removesuffix(".png"))
            rgb = (shade, 0, 0) if color == "red" else (0, shade, 0)
            image = io.BytesIO()
            Image.effect_noise((64, 64), 40 + shade).convert("RGB").save(image, "PNG")
            Image.blend(Image.open(image), Image.new("RGB", (64, 64), rgb), 0.5).save(
                image := io.BytesIO(), "PNG"
            )
            content = image.getvalue()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture(scope="module")
def archive_port():
    """The port of a running archive."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_searcher_collects(copied):
    folder, shell = copied("write-a-searcher.md")
    out = folder / "run"
    done = shell.adc("collect", folder / "archive.yaml", "--out", out)
    assert f"images: 20 in {out / 'collector'}" in done.stdout


def test_the_learner_trains(copied):
    folder, shell = copied("write-a-learner.md")
    for name, color in (("red", (200, 0, 0)), ("green", (0, 200, 0))):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(8):
            shade = tuple(min(255, value + number) for value in color)
            Image.new("RGB", (16, 16), shade).save(folder / "photos" / name / f"{number}.png")
    text = (folder / "bounded.yaml").read_text()
    (folder / "bounded.yaml").write_text(
        text.replace("epochs: 30", "epochs: 1, image_size: 16, backbone: tiny-cnn").replace(
            "}]", "}, {use: steady, criterion: unsure, epochs: 2, image_size: 16}]"
        )
    )
    out = folder / "run"
    *checked, _ = shell.adc_in_turn(
        ("check", "learners", "steady"),
        ("check", "criteria", "unsure"),
        ("run", folder / "bounded.yaml", "--out", out),
    )
    for said in checked:
        assert {line.split()[0] for line in said.splitlines()} == {"kept"}
    record = (out / "run.json").read_text()
    for name in ("bounded", "steady", "unsure"):
        assert f'"use": "acme-adc-bounded/{name}"' in record
