"""Names of Creative Commons licenses, as SPDX writes them."""

import re

CODES = ("cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd")
"""The codes of the licenses that can be asked for."""

_URL = re.compile(
    r"creativecommons\.org/(?:licenses/(?P<kind>[a-z+-]+)/(?P<version>[\d.]+)"
    r"|publicdomain/(?P<public>zero|mark)/(?P<public_version>[\d.]+))"
)


def creative_commons(kind: str, version: str | None = None) -> str:
    """Return the name of a license by its code, such as `by-sa` or `cc0`.

    Args:
        kind: the code, with or without `cc-`.
        version: such as `4.0`, or nothing where it is unknown.
    """
    code = kind.lower().removeprefix("cc-").removeprefix("cc ").replace(" ", "-")
    name = {"cc0": "CC0", "pdm": "PDM"}.get(code, f"CC-{code.upper()}")
    return f"{name}-{version}" if version else name


def of_url(url: str | None) -> str | None:
    """Return the name of the license whose deed is at a URL; None for any other URL."""
    found = _URL.search(url or "")
    if found is None:
        return None
    if found["kind"]:
        return creative_commons(found["kind"], found["version"])
    return creative_commons("cc0" if found["public"] == "zero" else "pdm", found["public_version"])


def code_of(name: str | None) -> str | None:
    """Return the code of a license that `creative_commons` named; None for any other."""
    plain = re.sub(r"-[\d.]+$", "", (name or "").lower()).removeprefix("cc-")
    return plain if plain in CODES else None
