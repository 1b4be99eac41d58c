"""`docs/exporting.md` as its reader follows it: every command runs, every reader reads."""

import importlib.util
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from adc_plugins_publish.commands.apply import ApplyCommand
from adc_plugins_publish.commands.export import FORMATS, ExportCommand

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "exporting.md").read_text()
COMMANDS = re.findall(r"^    (adc [^#\n]+?) *(?:#.*)?$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def photos():
    """The module that paints a folder with wrong labels."""
    path = ROOT / "tests" / "publish" / "photo_folder.py"
    spec = importlib.util.spec_from_file_location("photo_folder", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_option_and_form_is_told():
    parser = ArgumentParser()
    ExportCommand().add_arguments(parser)
    ApplyCommand().add_arguments(apply := ArgumentParser())
    for action in (*parser._actions, *apply._actions):
        for option in {*action.option_strings} - {"-h", "--help", "--seed"}:
            assert option in PAGE, f"docs/exporting.md lacks {option}"
    for form in FORMATS:
        assert f"| `{form}` | " in PAGE, f"docs/exporting.md lacks {form}"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_command_and_reader_works(photos, tmp_path):
    photos.paint(tmp_path)
    (tmp_path / "photos.yaml").write_text(photos.PIPELINE)
    assert len(COMMANDS) == 9
    for command in COMMANDS:
        photos.adc(tmp_path, *command.split()[1:])
    program = re.search(r"^## Read it\n\n(.*?)\n\n`", PAGE, re.MULTILINE | re.DOTALL).group(1)
    lines = [line.removeprefix("    ") for line in program.splitlines()]
    asserts = [
        f"assert {line}" if line.startswith(("load", "Image", "web")) else line for line in lines
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(asserts)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"HF_HOME": str(tmp_path / "hf"), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
