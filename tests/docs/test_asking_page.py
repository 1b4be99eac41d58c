"""The page on asking models: the options, files and messages that it names are there."""

import re
from pathlib import Path

from adc_plugins_ask import Annotators, VisualQuestions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asking.md").read_text()
SOURCES = "\n".join(path.read_text() for path in (ROOT / "adc_plugins_ask").rglob("*.py"))


def test_every_option_of_its_own_is_explained():
    own = {"max_cost", "max_requests", "partial", "price_in", "price_out", "send_size"}
    named = set(re.findall(r"`(\w+)(?::[^`]*)?`", PAGE))
    assert own <= named
    for option in own | {"suggest", "questions_file", "definitions"}:
        assert option in named
        assert option in VisualQuestions.model_fields


def test_files_and_columns_are_those_of_the_components():
    for name in VisualQuestions.artifacts:
        assert name in PAGE
    for name in Annotators.provides:
        assert f"`{name}`" in PAGE


def test_messages_are_said_somewhere():
    client = "\n".join(path.read_text() for path in (ROOT / "adc_endpoint").rglob("*.py"))
    for text in ("may charge for", "check that the model takes", "gave no whole answer within"):
        assert text in PAGE
        assert text in SOURCES + client
