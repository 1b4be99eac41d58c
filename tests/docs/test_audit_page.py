"""`docs/audit.md` tells every option, and its Python runs."""

import re
from argparse import ArgumentParser
from pathlib import Path

from adc_plugins_detect.commands.audit import AuditCommand

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()


def test_every_option_is_told():
    parser = ArgumentParser()
    AuditCommand().add_arguments(parser)
    for action in parser._actions:
        for option in {*action.option_strings} - {"-h", "--help"}:
            assert f"| `{option}" in PAGE, f"docs/audit.md lacks {option}"


def test_the_python_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/audit.md", "exec"), {})
    assert re.fullmatch(r"[\d.]+ % \([\d.]+ to [\d.]+ %\)\n", capsys.readouterr().out)
