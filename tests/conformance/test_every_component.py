"""Every registered component keeps every promise of its interface."""

import pytest

from adc_core.components.interfaces import interface_of
from adc_core.components.registry import registry
from adc_core.testing import checks_for, example_of

CASES = [
    pytest.param(interface, entry.full_name, check, id=f"{entry.full_name}-{check.__name__}")
    for kind in registry.kinds()
    for interface in [interface_of(kind)]
    for entry in registry.entries(kind)
    for check in checks_for(interface)
]


@pytest.mark.parametrize(("interface", "name", "check"), CASES)
def test_keeps_its_promises(interface, name, check):
    check(example_of(registry.load(interface, name)))
