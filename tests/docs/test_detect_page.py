"""`docs/detect.md` knows every option, and its commands are right."""

import re
import shlex
from argparse import ArgumentParser
from pathlib import Path

import pytest

from adc_core import Detector, Encoder
from adc_core.cli import detect
from adc_core.cli.component_option import component_from

PAGE = (Path(__file__).parents[2] / "docs" / "detect.md").read_text()
COMMANDS = re.findall(r"^adc detect (.+)$", PAGE, re.MULTILINE)


@pytest.fixture
def parser():
    made = ArgumentParser()
    detect.DetectCommand().add_arguments(made)
    return made


def test_every_option_is_in_the_table(parser):
    options = [flag for action in parser._actions for flag in action.option_strings]
    for option in set(options) - {"-h", "--help"}:
        assert f"| `{option}" in PAGE, f"docs/detect.md lacks {option}"


def test_the_default_detectors_are_named():
    names = [name.rpartition("/")[2] for name in detect.DETECTORS]
    assert "| `" + "` and `".join(names) + "` |" in PAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_right(command, parser):
    parsed = parser.parse_args(shlex.split(command))
    for text in parsed.use or detect.DETECTORS:
        component_from(Detector, "--use", text)
    if parsed.encoder:
        component_from(Encoder, "--encoder", parsed.encoder)
