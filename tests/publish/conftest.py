"""The folder of photos, importable by its tests as `photo_folder`, and a run that repairs it."""

import importlib.util
import sys
from pathlib import Path

import pytest

if "photo_folder" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "photo_folder", Path(__file__).with_name("photo_folder.py")
    )
    sys.modules["photo_folder"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["photo_folder"])


@pytest.fixture(scope="session")
def repaired(tmp_path_factory):
    """A folder with `photos` and the finished run `runs/p`; not to be changed."""
    photos = sys.modules["photo_folder"]
    folder = tmp_path_factory.mktemp("repaired")
    photos.paint(folder)
    (folder / "p.yaml").write_text(photos.PIPELINE)
    photos.adc(folder, "run", "p.yaml")
    return folder
