"""What tests of votes and certificates share."""

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vectors():
    """Numbers of `vectors.json`, computed by programs that share no code with the package."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
