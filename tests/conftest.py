"""What all tests share: the real data beside the repository, and a browser, or a reason to skip."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _missing(what, variable):
    if os.environ.get(variable):
        pytest.fail(f"{what}, but {variable} is set")
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data; `ADC_DATA`, or `../shared/data` beside the repository."""
    folder = Path(os.environ.get("ADC_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        _missing(f"the real data are not at {folder}", "ADC_REQUIRE_DATA")
    return folder


@pytest.fixture(scope="session")
def chromium():
    """The browser's program."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        _missing("no Chromium is installed", "ADC_REQUIRE_BROWSER")
    return found
