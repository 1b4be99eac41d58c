"""`adc gallery`: the gallery as a server, or around another command."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError

if TYPE_CHECKING:
    from adc_plugins_rehearse.catalog import Catalog
    from adc_plugins_rehearse.server import GalleryServer


class GalleryCommand(Command):
    """Serve a search engine of images with known labels on this machine, for demos and tests."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc gallery`."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=_port, default=8765, help="port; 0 for any free one")
        parser.add_argument(
            "--hosts",
            type=int,
            default=1,
            metavar="N",
            help="spread the images over N addresses, from --host upwards",
        )
        parser.add_argument(
            "--catalog",
            choices=("digits", "garments"),
            default="digits",
            help="what is shown: 1,000 scanned digits, or drawn garments without end",
        )
        parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
        parser.add_argument("--noise", type=float, help="share of images of another class")
        for name, (kind, meaning) in _OF_GARMENTS.items():
            parser.add_argument(f"--{name}", type=kind, help=f"garments: {meaning}")
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
            InputError: the port is taken, the command is unknown, scikit-learn is missing, or an
                option is out of range or for the other catalog.
            WorkError: the export cannot be written.
        """
        from adc_core.cli import shown_work
        from adc_plugins_rehearse.protocols.google import ENGINE, KEY
        from adc_plugins_rehearse.server import GalleryServer

        keys = {"GOOGLE_API_KEY": KEY, "GOOGLE_CSE_ID": ENGINE}
        catalog = _catalog(arguments)
        with GalleryServer(
            catalog, arguments.host, arguments.port, hosts=arguments.hosts
        ) as gallery:
            if arguments.export:
                with shown_work("export", arguments.export):
                    gallery.export(arguments.export)
            if arguments.beside:
                return _run_beside(arguments.beside, os.environ | keys)
            _serve(gallery, keys)
        return 0


def _shares(text: str) -> dict[str, float]:
    """Return conditions with their shares, from `reset=0.01,drip=0.002`."""
    pairs = (item.partition("=") for item in text.split(","))
    try:
        return {name.strip(): float(share) for name, _, share in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of conditions: write reset=0.01,drip=0.002"
        ) from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


_OF_GARMENTS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "answers": (int, "images for a query (default: 100)"),
    "values-per-attribute": (
        int,
        "values of each attribute for each class, as of the designer (default: 10)",
    ),
    "classes": (_names, "only these, such as sweater,hoodie (default: all twelve)"),
    "conditions": (_shares, "shares of misbehaviour added to the usual, such as reset=0.01"),
}


def _catalog(arguments: argparse.Namespace) -> Catalog:
    if arguments.catalog == "garments":
        from adc_plugins_rehearse.flaws import Flaws
        from adc_plugins_rehearse.garments.catalog import GarmentCatalog

        given = {
            name: getattr(arguments, name)
            for name in ("answers", "values_per_attribute", "classes")
        }
        flaws = Flaws()
        noise = flaws.noise if arguments.noise is None else arguments.noise
        conditions = {**flaws.conditions, **(arguments.conditions or {})}
        return GarmentCatalog(
            arguments.seed,
            flaws=replace(flaws, noise=noise, conditions=conditions),
            **{name: value for name, value in given.items() if value is not None},
        )
    from adc_plugins_rehearse.digits import DigitCatalog

    for name in _OF_GARMENTS:
        if getattr(arguments, name.replace("-", "_")) is not None:
            raise InputError(f"--{name} is for garments: add --catalog garments, or leave it out")
    noise = {} if arguments.noise is None else {"noise": arguments.noise}
    try:
        return DigitCatalog(arguments.seed, **noise)
    except ValueError as error:
        raise InputError(str(error)) from None


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use 0 to 65535")
    return int(text)


def _serve(gallery: GalleryServer, keys: Mapping[str, str]) -> None:
    """Wait for Ctrl-C or a termination."""
    stop = threading.Event()
    with _handling(lambda _: stop.set()):
        print(
            f"the gallery answers at {gallery.search_url} (Ctrl-C stops it); "
            "in the shell that searches it:"
        )
        for name, value in keys.items():
            print(f"export {name}={value}")
        if len(gallery.endpoints) > 1:
            print("and in the pipeline file, for the downloader:")
            print(f"allow_hosts: {json.dumps(gallery.endpoints)}")
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
    """Tell whether a Ctrl-C at the terminal reaches this process and its children."""
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
