import re
from pathlib import Path

from adc_process import run_program

from adc_plugins_learn.training.networks.model import NetworkModel

README = Path(__file__).parents[2] / "adc_plugins_learn" / "README.md"


def test_the_example_works(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    told = run_program(example, cwd=tmp_path)
    assert told.stderr == ""
    assert told.stdout == "1.00 of the labels\n(120, 4) (120, 8)\n"
    assert NetworkModel.load(tmp_path / "squares").classes == ("plain", "square")
