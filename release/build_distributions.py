"""Build every wheel and sdist of a release, twice, and check them; `make dist` runs it.

    python release/build_distributions.py dist

Writes the distributions, `SHA256SUMS`, and `sbom.json` (CycloneDX 1.5): what they need at the
versions that are tested, with the licenses that these declare. Fails where two builds differ, a
version or license is missing, or metadata are not valid.
"""

import contextlib
import hashlib
import importlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from zipfile import ZipFile

from importlib_metadata import PackageNotFoundError, distribution
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def sources() -> list[Path]:
    """List every folder with a distribution, in the order of uploading: needs first."""
    folders = sorted(path.parent for path in ROOT.glob("adc_*/pyproject.toml"))
    rank = {"adc_core": 0, "adc_endpoint": 1, "adc_plugins_search": 2}
    return [*sorted(folders, key=lambda one: (rank.get(one.name, 3), one.name)), ROOT]


def project_of(source: Path) -> dict:
    """Return the table `project` of a distribution."""
    return tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def build(source: Path, into: Path) -> list[Path]:
    """Build the wheel and the sdist of a folder by its own backend."""
    table = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    backend = importlib.import_module(table["build-system"]["build-backend"])
    with contextlib.chdir(source), contextlib.redirect_stdout(io.StringIO()):
        return [into / backend.build_sdist(str(into)), into / backend.build_wheel(str(into))]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def metadata_of(path: Path) -> bytes:
    """Return the metadata within a wheel or an sdist."""
    if path.suffix == ".whl":
        with ZipFile(path) as wheel:
            (name,) = (one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
            return wheel.read(name)
    with tarfile.open(path) as sdist:
        (member,) = (
            one
            for one in sdist.getmembers()
            if one.name.count("/") == 1 and one.name.endswith("/PKG-INFO")
        )
        file = sdist.extractfile(member)
        assert file is not None
        return file.read()


def check(path: Path, project: dict) -> None:
    """Require valid metadata that say what the index shows: version, license, readme, Python."""
    found = Metadata.from_email(metadata_of(path), validate=True)
    assert canonicalize_name(found.name) == project["name"], f"{path.name} is {found.name}"
    assert str(found.version) == project["version"], f"{path.name} has another version"
    assert found.requires_python is not None, f"{path.name} does not say which Python"
    assert found.license_expression, f"{path.name} has no license"
    assert found.summary and found.description, f"{path.name} says nothing of itself"


def tested_versions() -> dict[str, str]:
    """Normalized name to the version in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, version in pairs}


def license_of(name: str) -> str | None:
    """Return the license of an installed package: an expression, a classifier, a short text."""
    try:
        about = distribution(name).metadata
    except PackageNotFoundError:
        return None
    if expression := about.get("License-Expression"):
        return expression
    for line in about.get_all("Classifier") or ():
        if line.startswith("License :: "):
            return line.rpartition(" :: ")[2]
    text = (about.get("License") or "").strip()
    return re.split(r"[\n;]", text)[0][:80] or None


def bill_of_materials(projects: list[dict]) -> dict:
    """Make a CycloneDX document: our distributions, and what they need, at tested versions."""
    tested = tested_versions()
    needed: dict[str, set[str]] = {}
    for project in projects:
        extras = project.get("optional-dependencies", {}).values()
        for text in [*project["dependencies"], *(one for extra in extras for one in extra)]:
            name = canonicalize_name(Requirement(text).name)
            if not name.startswith("adc-"):
                needed.setdefault(name, set()).add(project["name"])
    components = []
    for name, version in sorted((name, tested.get(name)) for name in needed):
        declared = license_of(name)
        components.append(
            {
                "type": "library",
                "name": name,
                "purl": f"pkg:pypi/{name}" + (f"@{version}" if version else ""),
                **({"version": version} if version else {}),
                "licenses": [{"license": {"name": declared or "not declared"}}],
                "properties": [{"name": "needed by", "value": ", ".join(sorted(needed[name]))}],
            }
        )
    own = [
        {
            "type": "library",
            "name": project["name"],
            "version": project["version"],
            "purl": f"pkg:pypi/{project['name']}@{project['version']}",
            "licenses": [{"expression": project["license"]}],
        }
        for project in projects
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own[-1]},
        "components": [*own[:-1], *components],
    }


def main(into: Path) -> None:
    """Build, compare, check, and write sums and the bill of materials."""
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        sys.exit(f"{into} is not empty: remove what is in it, so that only this release is there")
    stamp = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    os.environ["SOURCE_DATE_EPOCH"] = stamp.stdout.strip()
    built, projects = [], []
    with tempfile.TemporaryDirectory() as again:
        for source in sources():
            project = project_of(source)
            for first, second in zip(build(source, into), build(source, Path(again)), strict=True):
                if digest(first) != digest(second):
                    sys.exit(f"{first.name}: two builds differ")
                check(first, project)
                built.append(first)
            projects.append(project)
    sums = "".join(f"{digest(path)}  {path.name}\n" for path in built)
    (into / "SHA256SUMS").write_text(sums, encoding="utf-8")
    text = json.dumps(bill_of_materials(projects), indent=1)
    (into / "sbom.json").write_text(text + "\n", encoding="utf-8")
    names = ", ".join(project["name"] for project in projects)
    print(f"{len(built)} files in {into}, each built twice with the same bytes; upload in order:")
    print(names)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
