"""`adc gallery`: the gallery as a server, or around another command."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from adc_core.errors import InputError


class GalleryCommand:
    """Serve a search engine of real pictures on this machine, for demos and tests."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The options of `adc gallery`."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=_port, default=8765, help="port; 0 for any free one")
        parser.add_argument(
            "--export", type=Path, metavar="FOLDER", help="write truth.csv and test/ there"
        )
        parser.add_argument(
            "beside",
            nargs="*",
            metavar="COMMAND",
            help="after --: run this beside the gallery with its keys set; else serve until Ctrl-C",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Serve; the exit code is the command's, or 0.

        Raises:
            InputError: the port is taken, the command is unknown, or scikit-learn is missing.
            WorkError: the export cannot be written.
        """
        from adc_plugins_search.gallery.digits import DigitCatalogue
        from adc_plugins_search.gallery.google_protocol import ENGINE, KEY
        from adc_plugins_search.gallery.server import GalleryServer

        keys = {"GOOGLE_API_KEY": KEY, "GOOGLE_CSE_ID": ENGINE}
        with GalleryServer(DigitCatalogue(), arguments.host, arguments.port) as gallery:
            if arguments.export:
                gallery.export(arguments.export)
            if arguments.beside:
                return _run_beside(arguments.beside, os.environ | keys)
            _serve(gallery.search_url, keys)
        return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use 0 to 65535")
    return int(text)


def _serve(url: str, keys: Mapping[str, str]) -> None:
    """Wait for Ctrl-C or a termination."""
    stop = threading.Event()
    with _handling(lambda _: stop.set()):
        print(f"the gallery answers at {url} (Ctrl-C stops it); in the shell that searches it:")
        for name, value in keys.items():
            print(f"export {name}={value}")
        sys.stdout.flush()
        stop.wait()


def _run_beside(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end, passing on the signals that it would otherwise miss."""
    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int) -> None:
        # A terminal sends Ctrl-C to the whole foreground group, the child included.
        if children and not (number == signal.SIGINT and _in_foreground()):
            children[0].send_signal(number)

    with _handling(pass_on):
        try:
            children.append(subprocess.Popen(command, env=environment))
        except OSError as error:
            raise InputError(
                f"{command[0]!r} cannot be run ({error.strerror}): give a command after --"
            ) from None
        code = children[0].wait()
    return code if code >= 0 else 128 - code


def _in_foreground() -> bool:
    """Whether a Ctrl-C at the terminal reaches this process and its children."""
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:  # there is no terminal
        return False


@contextmanager
def _handling(handle: Callable[[int], None]) -> Iterator[None]:
    """Have SIGINT and SIGTERM handled while the `with` block runs."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _: handle(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
