"""What all tests share: the real data beside the repository, and a browser, or a reason to skip."""

import gc
import os
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from adc_process import start_server
from hypothesis import settings

ROOT = Path(__file__).parents[1]
WORKER = ROOT / "tests" / "processes" / "forked_worker.py"

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several tests at a time share the cores: with threads of their own on top they mostly wait
    # for each other (measured: a third of the time of a training's test). Read by numpy's and
    # torch's libraries when these are loaded, here and in the processes that tests start.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A deadline is wall-clock, which says more about the machine than about the code.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

# Else each process that tests start compiles our sources again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Run one more than there are cores: a third of the time goes into waiting for processes."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs):
    """Fork the workers from one process that has imported what each of them would."""
    if sys.platform != "linux":  # whose /proc they find their pipes in
        return
    start_server()
    for spec in specs:
        spec.python = shlex.join([sys.executable, "-S", str(WORKER)])


LONGEST = (
    *("test_demo", "test_learners_beat_cross_entropy", "test_every_component", "test_distributed"),
    *("test_supervisor", "test_browser", "test_every_learner", "test_author_pages", "test_wheels"),
    *("test_accessibility", "test_exporting_page", "test_onnx_file", "test_garments_collect"),
    *("test_image_source", "test_detect_command", "test_resuming", "test_gallery_command"),
)
"""Files that take more than about 15 seconds, the longest first."""


def pytest_collection_modifyitems(items):
    """Begin with the longest files, and end with those of few tests: workers finish together."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    count = Counter(item.path for item in items)
    items.sort(key=lambda item: (rank.get(item.path.stem, len(rank)), -count[item.path]))


gc.disable()  # while millions of objects are imported that stay to the end


def pytest_collection_finish():
    """Let no later collection of garbage look through all that was imported."""
    gc.collect()
    gc.freeze()
    gc.enable()


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


@pytest.fixture(scope="module")
def browser(chromium):
    """A browser for the tests of a file: in later ones playwright's loop would be in the way."""
    from playwright.sync_api import sync_playwright  # which `make lowest` does without

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()
