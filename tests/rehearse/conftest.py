"""The searcher and the designs of the downloader's tests, for those of the gallery as well."""

import importlib.util
from pathlib import Path

_PATH = Path(__file__).parents[1] / "search" / "conftest.py"
_spec = importlib.util.spec_from_file_location("tests_of_search", _PATH)
_search = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_search)

design_of = _search.design_of
listed = _search.listed
