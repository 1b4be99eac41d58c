"""What `adc doctor` looks at; each examination is a function that can be called alone."""

import importlib.util
import os
import platform
import re
import shutil
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from importlib_metadata import PackageNotFoundError, requires

from adc_core.components.compatibility import misfit_of
from adc_core.components.installed import installed_packages
from adc_core.components.interfaces import interface_of
from adc_core.components.kinds import BROUGHT, COMMANDS, group_of
from adc_core.components.known_packages import PACKAGES
from adc_core.components.registry import RegistryError, registry

_CORE = "adc-core"
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")
_CACHES = {
    "torch weights": ("TORCH_HOME", "~/.cache/torch"),
    "Hugging Face models": ("HF_HOME", "~/.cache/huggingface"),
    "CLIP weights": ("", "~/.cache/clip"),
}
_LITTLE = 5 << 30
"""Bytes of free disk below which a collection or a training may end early."""


class State(Enum):
    """What a finding means."""

    FINE = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True)
class Examined:
    """One finding.

    Attributes:
        state: what it means.
        subject: what was looked at.
        finding: what was seen.
        remedy: what to do, where something is to do.
    """

    state: State
    subject: str
    finding: str
    remedy: str = ""


def of_python() -> Iterator[Examined]:
    """Look at the interpreter, the machine and its disk."""
    cores = os.cpu_count() or 1
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Examined(State.FINE, "machine", f"{where}, {cores} cores")
    free = shutil.disk_usage(Path.cwd()).free
    said = f"{free / 1e9:.0f} GB free in this folder"
    little = "make room: collections and checkpoints need it" if free < _LITTLE else ""
    yield Examined(State.NOTE if little else State.FINE, "disk", said, little)


def of_packages() -> Iterator[Examined]:
    """Look at the packages of ADC and of others that offer components: versions, metadata."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        packages = installed_packages()
    for text in dict.fromkeys(str(one.message) for one in caught):
        yield Examined(State.BROKEN, "metadata", *_split_remedy(text))
    kinds = (*registry.kinds(), COMMANDS, BROUGHT)
    offering = {entry.package for kind in kinds for entry in registry.entries(kind)}
    here = {name: packages[name] for name in sorted(offering | {_CORE}) if name in packages}
    for name, version in here.items():
        yield Examined(State.FINE, name, version)
    own = {version for name, version in here.items() if name in (*PACKAGES, _CORE)}
    if len(own) > 1:
        yield Examined(
            State.BROKEN,
            "versions",
            f"packages of ADC are of different versions: {', '.join(sorted(own))}",
            "install them together: pip install --upgrade 'adc-suite[all]'",
        )
    for name in sorted(here):
        for requirement in _unmet(name, packages):
            yield Examined(
                State.BROKEN, name, f"needs {requirement}", f"pip install '{requirement}'"
            )
        if misfit := misfit_of(name, here[name]):
            yield Examined(State.BROKEN, name, *_split_remedy(misfit))


def of_names() -> Iterator[Examined]:
    """Look for names that several packages offer."""
    for kind in (*registry.kinds(), COMMANDS):
        packages = defaultdict(list)
        for entry in registry.entries(kind):
            packages[entry.name].append(entry.package)
        for name, offering in packages.items():
            if len(offering) > 1:
                full = " or ".join(f"{package}/{name}" for package in offering)
                yield Examined(
                    State.NOTE,
                    f"{group_of(kind)} {name}",
                    f"offered by {' and '.join(offering)}",
                    f"write {full}",
                )


def of_components() -> Iterator[Examined]:
    """Import every component, and find those that cannot be."""
    total, misfit = 0, cache(misfit_of)
    for kind in registry.kinds():
        for entry in registry.entries(kind):
            total += 1
            if misfit(entry.package, entry.version):  # said of the package
                continue
            try:
                registry.load(interface_of(kind), entry.full_name)
            except RegistryError as error:
                yield Examined(
                    State.BROKEN,
                    f"{kind} {entry.name}",
                    str(error),
                    f"install {entry.package} again, or tell its authors",
                )
    yield Examined(State.FINE, "components", f"{total} looked at")


def of_extras() -> Iterator[Examined]:
    """Look for optional parts of ADC's packages that are not installed."""
    packages = installed_packages()
    for package in sorted({*PACKAGES, _CORE} & set(packages)):
        missing: dict[str, list[str]] = defaultdict(list)
        for line in _requirements(package):
            extra = _EXTRA.search(line)
            name = _name_of(line)
            if extra and name not in packages and not name.startswith("adc-"):
                missing[extra[1]].append(name)
        for extra_name, names in missing.items():
            yield Examined(
                State.NOTE,
                f"{package}[{extra_name}]",
                f"{', '.join(names)} not installed",
                f"where you want it: pip install '{package}[{extra_name}]'",
            )


def of_device() -> Iterator[Examined]:
    """Look for what torch computes on."""
    if importlib.util.find_spec("torch") is None:
        yield Examined(
            State.NOTE,
            "torch",
            "not installed: detectors work without it, learners and most encoders do not",
            "where you want these: pip install adc-plugins-learn",
        )
        return
    try:
        import torch
    except Exception as error:  # a wrong driver, a mixture of builds
        reason = " ".join(str(error).split())
        yield Examined(State.BROKEN, "torch", reason, "install torch again, for this machine")
        return
    if not torch.cuda.is_available():
        said = f"torch {torch.__version__} on the processor, {torch.get_num_threads()} threads"
        yield Examined(State.FINE, "device", said)
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        said = f"{about.name}, {about.total_memory / 1e9:.0f} GB, torch {torch.__version__}"
        yield Examined(State.FINE, f"device cuda:{number}", said)


def of_caches() -> Iterator[Examined]:
    """Look at what libraries keep of downloaded weights."""
    for name, (variable, usual) in _CACHES.items():
        folder = Path(os.environ.get(variable) or usual).expanduser()
        if folder.is_dir():
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            yield Examined(State.FINE, name, f"{size / 1e6:,.0f} MB in {folder}")


def of_environment() -> Iterator[Examined]:
    """Name the variables that ADC reads and that are set; their values are not shown."""
    known = re.compile(r"^(ADC_|OPENAI_|OLLAMA_|BRAVE_|GOOGLE_|BING_|SEARXNG_|OPENVERSE_)")
    if names := sorted(name for name in os.environ if known.match(name)):
        yield Examined(State.FINE, "environment", f"{', '.join(names)} set")


def _requirements(package: str) -> list[str]:
    try:
        return list(requires(package) or ())
    except PackageNotFoundError:
        return []


def _name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _unmet(package: str, packages: dict[str, str]) -> Iterator[str]:
    """Return what a package needs, extras aside, and what is not there."""
    for line in _requirements(package):
        plain = line.partition(";")[0].strip()
        if ";" not in line and _name_of(line) not in packages:
            yield plain


def _split_remedy(text: str) -> tuple[str, str]:
    finding, _, remedy = text.rpartition(": ")
    return finding, remedy
