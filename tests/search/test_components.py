"""Every component of the package keeps the promises of its interface."""

import pytest

from adc_core.components.component import Component
from adc_core.testing import checks_for, example_of
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.designers.attributes import AttributeDesigner
from adc_plugins_search.searchers.folder import FolderSearcher
from adc_plugins_search.searchers.google import GoogleSearcher

CHECKS = [
    (component, check)
    for component in (AttributeDesigner, GoogleSearcher, FolderSearcher, Downloader)
    for check in checks_for(component)
]


@pytest.mark.parametrize(
    ("component", "check"), CHECKS, ids=lambda value: getattr(value, "__name__", None)
)
def test_keeps_its_promises(component: type[Component], check) -> None:
    check(example_of(component))
