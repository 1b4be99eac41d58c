"""`adc gallery`: arguments, exit codes and signals, mostly as a process of its own."""

import argparse
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import urllib3
from adc_process import run_program, start_program

from adc_core.errors import InputError
from adc_plugins_rehearse.commands.gallery import GalleryCommand
from adc_plugins_rehearse.protocols.google import ENGINE, KEY


def parse(*words: str) -> argparse.Namespace:
    """As the core's command line does: in a sub-parser."""
    parser = argparse.ArgumentParser("adc")
    sub = parser.add_subparsers(required=True).add_parser("gallery")
    GalleryCommand().add_arguments(sub)
    return parser.parse_args(["gallery", *words])


def test_the_command_line() -> None:
    plain = parse()
    assert (plain.host, plain.port, plain.export, plain.beside) == ("127.0.0.1", 8765, None, [])
    assert (plain.catalog, plain.hosts, plain.seed, plain.noise) == ("digits", 1, 0, None)
    full = parse("--port", "0", "--export", "out", "--", "adc", "run", "x.yaml", "--out", "runs")
    assert (full.port, full.export) == (0, Path("out"))
    assert full.beside == ["adc", "run", "x.yaml", "--out", "runs"]
    garments = parse(
        *(
            "--catalog",
            "garments",
            "--classes",
            "suit, vest",
            "--values-per-attribute",
            "2",
            "--answers",
            "9",
        ),
        *("--conditions", "reset=0.01, drip=0.002"),
    )
    assert (garments.classes, garments.values_per_attribute, garments.answers) == (
        ["suit", "vest"],
        2,
        9,
    )
    assert garments.conditions == {"reset": 0.01, "drip": 0.002}
    for words in (("--port", "70000"), ("--catalog", "cats"), ("--conditions", "reset")):
        with pytest.raises(SystemExit):
            parse(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--values-per-attribute", "2"),
            "--values-per-attribute is for garments: add --catalog garments, or leave it out",
        ),
        (("--noise", "2"), "noise must be in 0…1 and held_back in 0…0.4"),
        (("--hosts", "0"), "hosts must be in 1…254"),
        (("--hosts", "300"), "hosts must be in 1…254"),
        (
            ("--hosts", "3", "--host", "localhost"),
            "localhost is no number from which 3 hosts follow: use 127.0.0.1",
        ),
        (
            ("--catalog", "garments", "--noise", "2"),
            "shares must be in 0…1, those of conditions and copies together too",
        ),
    ],
)
def test_options_that_cannot_be(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as raised:
        GalleryCommand().run(parse("--port", "0", *words))
    assert str(raised.value) == message


def test_garments_need_no_scikit_learn() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['sklearn.datasets'] = None\n"
        "from adc_plugins_rehearse.garments.catalog import GarmentCatalog\n"
        "print(len(GarmentCatalog().search('navy wool sweater')))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 0


def test_a_command_gets_the_keys_and_gives_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    code = (
        "import os, pathlib, sys\n"
        "names = 'GOOGLE_API_KEY', 'GOOGLE_CSE_ID'\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(' '.join(map(os.getenv, names)))\n"
        "sys.exit(7)"
    )
    words = ("--port", "0", "--export", str(tmp_path / "out"), "--", sys.executable, "-c", code)
    assert GalleryCommand().run(parse(*words)) == 7
    assert (tmp_path / "seen").read_text() == f"{KEY} {ENGINE}"
    assert (tmp_path / "out/truth.csv").is_file()
    assert "GOOGLE_API_KEY" not in os.environ


def test_an_export_shows_how_far_it_is(tmp_path: Path) -> None:
    words = ["--port", "0", "--export", str(tmp_path / "out"), "--", sys.executable, "-c", ""]
    unseen = run_program(RUN, *words)
    assert unseen.returncode == 0
    assert (unseen.stdout, unseen.stderr) == ("", "")
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    with subprocess.Popen([sys.executable, "-c", RUN, *words], stderr=terminal) as process:
        os.close(terminal)
        told = "".join(iter(lambda: read_screen(screen), ""))
    os.close(screen)
    assert process.returncode == 0
    images = len(list((tmp_path / "out/test").rglob("*.png")))
    assert told.rstrip().rpartition("\r")[2].startswith(f"export: {images} test image [")


def read_screen(screen: int) -> str:
    """What a terminal shows next; nothing when nobody writes there any more."""
    try:
        return os.read(screen, 10_000).decode()
    except OSError:
        return ""


def test_an_unknown_command_is_named() -> None:
    with pytest.raises(InputError) as raised:
        GalleryCommand().run(parse("--port", "0", "--", "no-such-program"))
    assert str(raised.value) == (
        "'no-such-program' cannot be run (No such file or directory): give a command after --"
    )


RUN = (
    "import argparse, sys; from adc_plugins_rehearse.commands.gallery import GalleryCommand\n"
    "parser = argparse.ArgumentParser(); command = GalleryCommand()\n"
    "command.add_arguments(parser); sys.exit(command.run(parser.parse_args()))"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(number: signal.Signals) -> None:
    with start_program(RUN, "--port", "0") as process:
        line = process.stdout.readline()
        url = line.split()[4]
        assert url.endswith("/customsearch/v1")
        assert process.stdout.readline() == f"export GOOGLE_API_KEY={KEY}\n"
        assert process.stdout.readline() == f"export GOOGLE_CSE_ID={ENGINE}\n"
        assert urllib3.request("GET", url, retries=False).status == 403
        process.send_signal(number)
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_command_once(number: signal.Signals) -> None:
    child = (
        "import signal, sys, time\n"
        "got = []\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.signal(number, lambda number, _: got.append(number))\n"
        "print('ready', flush=True)\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "print(*map(int, got), flush=True)\n"
        "sys.exit(9)"
    )
    words = ["--port", "0", "--", sys.executable, "-c", child]
    # Without a terminal, from which the child would hear by itself.
    with start_program(RUN, *words) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == f"{int(number)}\n"
        assert process.wait(timeout=30) == 9


def test_without_scikit_learn_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['sklearn.datasets'] = None\n"
        "from adc_plugins_rehearse.digits import DigitCatalog\n"
        "try: DigitCatalog()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == (
        "InputError the gallery needs scikit-learn for its images: "
        'pip install "adc-plugins-rehearse[digits]"\n'
    )


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys; import adc_plugins_rehearse.commands.gallery\n"
        "print([name for name in ('numpy', 'aiohttp', 'sklearn', 'PIL') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
