"""A component on the command line: its grammar, and the place of each fault."""

from typing import ClassVar

import pytest
from pydantic import Field

from adc_core import Detector
from adc_core.cli.component_option import component_from
from adc_core.components.registry import registry
from adc_core.errors import InputError, lines_of


class Wordy(Detector):
    """Has an option of every sort."""

    requires: ClassVar = ()
    k: int = Field(default=1, ge=1)
    rate: float | None = 0.5
    word: str = ""
    many: tuple[int, ...] = ()

    def detect(self, dataset):
        raise AssertionError("never reached")


registry.add("wordy", Wordy)


@pytest.mark.parametrize(
    ("text", "component"),
    [
        ("wordy", Wordy()),
        ("wordy:", Wordy()),
        ("wordy:k=12", Wordy(k=12)),
        ("wordy:k=12,rate=null,word=vote", Wordy(k=12, rate=None, word="vote")),
        ("wordy:rate=1e-3, k = 2", Wordy(rate=0.001, k=2)),
        ("wordy:many=[1, 2],k=3", Wordy(many=(1, 2), k=3)),
        ("wordy:word=a, b c=d,k=2", Wordy(word="a, b c=d", k=2)),
    ],
)
def test_grammar(text, component):
    assert component_from(Detector, "--use", text) == component


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("wordee:k=1", ['--use wordee: adc.detectors has no "wordee": did you mean "wordy"?']),
        ("wordy:k=0", ["--use wordy: k: Input should be greater than or equal to 1"]),
        (
            "wordy:k=x,rat=1",
            [
                "--use wordy: k: Input should be a valid integer, unable to parse string as an "
                "integer",
                '--use wordy: rat: there is no key "rat": did you mean "rate"?',
            ],
        ),
        ("wordy:vote", ['--use wordy: "vote" is not an option: write vote=VALUE']),
        ("wordy:=3", ['--use wordy: "=3" is not an option: write OPTION=VALUE']),
        ("wordy:k=1,k=2", ['--use wordy: duplicate option "k"']),
        ("wordy:use=other", ['--use wordy: duplicate option "use"']),
        ("wordy:word='x,k=2'", ['--use wordy: word: "\'x" is not a YAML value']),
        ("wordy:many=[1", ['--use wordy: many: "[1" is not a YAML value']),
        ("wordy:word=2026-13-01", ['--use wordy: word: "2026-13-01" is not a YAML value']),
    ],
)
def test_faults(text, lines):
    with pytest.raises(InputError) as caught:
        component_from(Detector, "--use", text)
    assert lines_of(caught.value) == lines
