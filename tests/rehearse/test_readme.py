import re
from pathlib import Path

from adc_process import run_program

README = Path(__file__).parents[2] / "adc_plugins_rehearse" / "README.md"


def test_the_example_works(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    told = run_program(example, cwd=tmp_path)
    assert told.stderr == ""
    counts = re.fullmatch(r"\{'three': (\d+), 'eight': (\d+)\}\n", told.stdout)
    assert counts, told.stdout
    assert all(40 <= int(count) <= 50 for count in counts.groups())
    assert (tmp_path / "runs/digits/refused.parquet").is_file()
