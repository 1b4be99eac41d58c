"""Fetching the weights of a pretrained network, if that can be done soon."""

import shutil
import socket
import tempfile
import threading
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import getproxies, urlopen

from adc_core.cli.progress_bars import shown_work
from adc_core.components.context import progress
from adc_core.components.interfaces import Download

_PATIENCE = 3.0
"""Seconds in which a host must be found and take a connection, or it counts as out of reach."""

_SILENCE = 10.0
"""Seconds without a byte after which a download is given up."""

_BLOCK = 1 << 20


def can_reach(url: str) -> bool:
    """Tell whether the host of an address, or its proxy, accepts a connection in time.

    Looking up a name may hang for minutes where there is no network, so it is done by a thread
    that is left behind.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    target = urlsplit(proxy) if proxy else parts
    port = target.port or (443 if target.scheme == "https" else 80)
    reached = threading.Event()

    def connect() -> None:
        try:
            with socket.create_connection((target.hostname or "", port), timeout=_PATIENCE):
                reached.set()
        except OSError:
            pass

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return reached.is_set()


def fetch(download: Download) -> str | None:
    """Fetch a file to its place, whole or not at all.

    Returns:
        Nothing where it is there now, else why it is not.
    """
    if not can_reach(download.url):
        return f"{urlsplit(download.url).hostname} cannot be reached"
    part: Path | None = None
    try:
        download.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            urlopen(download.url, timeout=_SILENCE) as answer,
            tempfile.NamedTemporaryFile(
                dir=download.path.parent, prefix=f".{download.path.name}.", delete=False
            ) as file,
            shown_work(f"fetch {download.path.name}", download.path.parent),
        ):
            part = Path(file.name)
            total = int(answer.headers.get("Content-Length") or 0) >> 20 or None
            done = 0
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                progress(done >> 20, total, "MB")
            expected = answer.headers.get("Content-Length")
        if expected is not None and done != int(expected):
            return f"only {done:,} of {int(expected):,} bytes came"
        shutil.move(part, download.path)
    except (OSError, URLError, ValueError) as error:
        return str(error)
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return None
