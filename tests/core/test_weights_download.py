"""Fetching weights from a server on this machine that behaves, or does not."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adc_core.cli import weights_download as module
from adc_core.cli.weights_download import can_reach, fetch
from adc_core.components.interfaces import Download

CONTENT = bytes(range(256)) * 9000


class Handler(BaseHTTPRequestHandler):
    """Sends a whole file, a part of it, nothing at all for long, or 404."""

    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path == "/cut":
            self.wfile.write(CONTENT[:1000])
        elif self.path == "/silent":
            self.wfile.write(CONTENT[:1000])
            self.wfile.flush()
            self.server.release.wait(20)
        else:
            self.wfile.write(CONTENT)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.release = threading.Event()
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.release.set()
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def closed_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and nobody listens
        yield held.getsockname()[1]


@pytest.mark.parametrize("path", ["/whole", "/unsized"])
def test_a_whole_file_arrives_where_it_is_looked_for(server, path, tmp_path):
    place = tmp_path / "checkpoints" / "net.pth"
    assert fetch(Download(server + path, place, None)) is None
    assert place.read_bytes() == CONTENT
    assert [found.name for found in place.parent.iterdir()] == ["net.pth"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/cut", f"only 1,000 of {len(CONTENT):,} bytes came"),
        ("/missing", "HTTP Error 404: Not Found"),
    ],
)
def test_what_does_not_come_leaves_nothing(server, path, reason, tmp_path):
    place = tmp_path / "net.pth"
    assert fetch(Download(server + path, place, 21.0)) == reason
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_falls_silent_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SILENCE", 0.3)
    started = time.monotonic()
    assert fetch(Download(f"{server}/silent", tmp_path / "net.pth", None)) == "timed out"
    assert time.monotonic() - started < 5
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_takes_no_connection(closed_port, tmp_path, server):
    url = f"http://127.0.0.1:{closed_port}/net.pth"
    assert not can_reach(url)
    place = tmp_path / "net.pth"
    assert fetch(Download(url, place, None)) == "127.0.0.1 cannot be reached"
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_looked_up_forever_is_given_up(monkeypatch, tmp_path, server):
    release = threading.Event()
    monkeypatch.setattr(module, "_PATIENCE", 0.2)

    def hang(*_, **__):
        release.wait(20)
        raise OSError

    monkeypatch.setattr(module.socket, "create_connection", hang)
    started = time.monotonic()
    found = fetch(Download("https://weights.example/net.pth", tmp_path / "net.pth", None))
    assert found == "weights.example cannot be reached"
    assert time.monotonic() - started < 5
    release.set()


def test_behind_a_proxy_it_is_the_proxy_that_must_answer(server, closed_port, monkeypatch):
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", server)
    assert can_reach("http://weights.invalid/net.pth")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    assert not can_reach("http://weights.invalid/net.pth")


def test_a_folder_that_refuses_is_a_reason_and_no_traceback(server, tmp_path):
    (tmp_path / "checkpoints").write_text("a file in the way")
    reason = fetch(Download(f"{server}/whole", tmp_path / "checkpoints" / "net.pth", None))
    assert reason == f"[Errno 17] File exists: '{tmp_path / 'checkpoints'}'"
