"""The detector keeps the promises of its interface."""

import pytest
from acme_adc_detector import Majority

from adc_core.testing import checks_for, example_of


@pytest.mark.parametrize("check", checks_for(Majority), ids=lambda check: check.__name__)
def test_keeps_the_contract(check):
    """One promise."""
    check(example_of(Majority))
