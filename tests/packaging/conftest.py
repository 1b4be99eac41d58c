"""Wheels of the distributions, and environments to install them in."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
from importlib_metadata import distribution

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = (
    "adc_core",
    "adc_endpoint",
    "adc_plugins_search",
    "adc_plugins_detect",
    "adc_plugins_learn",
    "adc_plugins_publish",
    "adc_plugins_rehearse",
    "adc_plugins_review",
    "adc_plugins_compare",
    "adc_plugins_ask",
)


def build_wheel(source, into):
    """Build one wheel as pip does, by the source's own backend; return its path."""
    system = tomllib.loads((source / "pyproject.toml").read_text())["build-system"]
    backend = importlib.import_module(system["build-backend"])
    with contextlib.chdir(source):
        return into / backend.build_wheel(str(into))


@pytest.fixture(scope="session")
def wheel_of():
    """Builds the wheel of a source folder into another folder."""
    return build_wheel


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Distribution folder to wheel; the root's own stands under `.`."""
    into = tmp_path_factory.mktemp("wheels")
    return {name: build_wheel(ROOT / name, into) for name in (*DISTRIBUTIONS, ".")}


@pytest.fixture(scope="session")
def installed(wheels, tmp_path_factory):
    """A folder with what pip makes of all the wheels; nothing of it is on a path."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--target", folder, *wheels.values()),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return folder


class Environment:
    """A virtual environment without pip.

    Args:
        folder: where to make it.
        lend: `dependencies` lends it the libraries of this environment but none of our own
            packages, which are installed editable; `everything` lends these too; a set of names
            lends only these distributions.
    """

    def __init__(self, folder, lend):
        venv.create(folder, symlinks=True)
        self.python = folder / "bin" / "python"
        (self.site,) = folder.glob("lib/python*/site-packages")
        here = sysconfig.get_path("purelib")
        if isinstance(lend, str):
            line = here if lend == "dependencies" else f"import site; site.addsitedir({here!r})"
            (self.site / "lent.pth").write_text(line + "\n")
        else:
            for name in lend:
                self._link(distribution(name))

    def _link(self, dist):
        """Show one distribution of this environment in the other."""
        for top in {file.parts[0] for file in dist.files or ()} - {"..", "__pycache__"}:
            (self.site / top).symlink_to(dist.locate_file(top))

    def show(self, folder, *names):
        """Show packages that were installed into a folder, as if they had been installed here."""
        for name in names:
            for path in folder.glob(f"{name}*"):
                (self.site / path.name).symlink_to(path)

    def install(self, *words):
        """Install what is given as it is, without its dependencies."""
        self.pip("install", "--quiet", "--no-deps", *words)

    def pip(self, *words):
        """Run pip of this environment on the other; return what it prints."""
        return subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, *words],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

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

    def adc_in_turn(self, *commands):
        """Run its `adc` several times in one process, which imports once; return what each says."""
        program = (
            "import json, sys\n"
            "from adc_core.cli import main\n"
            "for words in json.loads(sys.argv[1]):\n"
            "    assert main(words) == 0, words\n"
            "    print('\\f')\n"
        )
        words = [[str(word) for word in command] for command in commands]
        return self.run("-c", program, json.dumps(words)).stdout.split("\f\n")[:-1]


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Makes environments in a temporary folder."""
    return lambda lend: Environment(tmp_path_factory.mktemp("venv"), lend)
