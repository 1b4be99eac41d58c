"""The package's page runs as it stands."""

import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "adc_plugins_review" / "README.md"


def test_the_readme_runs():
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert programs
    votes = {"item": [0, 0, 1, 1], "rater": [0, 1, 0, 1], "label": [0, 0, 1, 1]}
    for program in programs:
        exec(program, {name: np.array(values) for name, values in votes.items()})
