"""Print the lowest direct versions that the core and detect allow, as pip takes them.

`make lowest` installs these into an environment of its own.
"""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FOLDERS = ("adc_core", "adc_plugins_detect")


def main() -> None:
    """Print one requirement a line."""
    for folder in FOLDERS:
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for text in project["dependencies"]:
            requirement = Requirement(text)
            for bound in requirement.specifier:
                if bound.operator == ">=":
                    any_minor = "" if "." in bound.version else ".*"
                    print(f"{requirement.name}=={bound.version}{any_minor}")


if __name__ == "__main__":
    main()
