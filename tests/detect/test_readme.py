import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "adc_plugins_detect" / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_of_the_readme_run(program, planted, capsys):
    names = {"labels": planted.labels, "features": planted.features}
    exec(program, names)
    if "findings" in names:
        assert (names["findings"].flagged == planted.wrong).mean() > 0.95
    else:
        low, high = names["estimate"].interval.noise_rate
        assert low < planted.wrong.mean() < high
