"""Wheels of the distributions, and environments to install them in."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = (
    "adc_core",
    "adc_plugins_search",
    "adc_plugins_detect",
    "adc_plugins_learn",
    "adc_plugins_publish",
    "adc_plugins_rehearse",
    "adc_plugins_review",
)


def build_wheel(source, into):
    """Build one wheel with the tools of this environment; return its path."""
    before = set(into.glob("*.whl"))
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", into, source],
        check=True,
        capture_output=True,
        text=True,
    )
    (wheel,) = set(into.glob("*.whl")) - before
    return wheel


@pytest.fixture(scope="session")
def wheel_of():
    """Builds the wheel of a source folder into another folder."""
    return build_wheel


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Distribution folder to wheel; the root's own stands under `.`."""
    into = tmp_path_factory.mktemp("wheels")
    return {name: build_wheel(ROOT / name, into) for name in (*DISTRIBUTIONS, ".")}


class Environment:
    """A virtual environment.

    Args:
        folder: where to make it.
        lend: `dependencies` lends it the libraries of this environment but none of our own
            packages, which are installed editable; `everything` lends these too.
    """

    def __init__(self, folder, lend=None):
        venv.create(folder, with_pip=lend is None, symlinks=True)
        self.python = folder / "bin" / "python"
        here = sysconfig.get_path("purelib")
        if lend:
            (site,) = folder.glob("lib/python*/site-packages")
            line = here if lend == "dependencies" else f"import site; site.addsitedir({here!r})"
            (site / "lent.pth").write_text(line + "\n")

    def install(self, *wheels):
        """Install wheels as they are."""
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"),
                *("--no-deps", "--no-index", "--ignore-installed", *wheels),
            ],
            check=True,
            capture_output=True,
            text=True,
        )

    def run(self, *words, code=0):
        """Run its Python; check the exit code."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
        result = subprocess.run(
            [self.python, *words], capture_output=True, text=True, env=clean, check=False
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result

    def adc(self, *words, code=0):
        """Run its `adc`."""
        return self.run("-m", "adc_core.cli", *words, code=code)


@pytest.fixture
def environment(tmp_path):
    """Makes environments in a temporary folder."""
    return lambda lend=None: Environment(tmp_path / f"venv-{lend}", lend)
