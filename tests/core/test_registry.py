"""Every message of the registry, by its full text."""

import pytest

from adc_core.components.component import create
from adc_core.components.interfaces import Detector, Enricher
from adc_core.components.registry import Entry, Registry, RegistryError


def entry(name, target="adc_core.testing.toys:toy_dataset", package="acme", kind="detectors"):
    return Entry(kind, name, package, "2.0", target)


class Mine(Detector):
    """Finds nothing."""

    def detect(self, dataset):
        raise AssertionError("not called")


def registry_of(*entries):
    return Registry(lambda: entries)


def message_of(call, *arguments):
    with pytest.raises(RegistryError) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("entries", "name", "message"),
    [
        (
            [entry("simifeat")],
            "simifeet",
            'adc.detectors has no "simifeet": did you mean "simifeat"?',
        ),
        (
            [],
            "simifeat",
            'adc.detectors has no "simifeat": pip install adc-plugins-detect',
        ),
        (
            [],
            "acme-adc/quantum",
            'adc.detectors has no "acme-adc/quantum": pip install acme-adc',
        ),
        (
            [entry("a"), entry("b")],
            "zzz",
            'adc.detectors has no "zzz"; it has a, b',
        ),
        ([], "zzz", 'adc.detectors has no "zzz"; it has nothing installed'),
        (
            [entry("same"), entry("same", package="other")],
            "same",
            'several packages offer "same": use "acme/same" or "other/same"',
        ),
        (
            [entry("simifeat")],
            "acme/simifeet",
            'adc.detectors has no "acme/simifeet": did you mean "acme/simifeat"?',
        ),
    ],
)
def test_find_says_what_to_do(entries, name, message):
    assert message_of(registry_of(*entries).find, "detectors", name) == message


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "no_such_module:Thing",
            "no_such_module:Thing of acme 2.0 cannot be imported: "
            "ModuleNotFoundError(\"No module named 'no_such_module'\")",
        ),
        ("json:JSONDecoder", "json:JSONDecoder of acme 2.0 is not a Detector"),
    ],
)
def test_load_names_the_package_at_fault(target, message):
    assert message_of(registry_of(entry("x", target)).load, Detector, "x") == message


def test_create_needs_a_name():
    assert message_of(create, Detector, {"k": 1}) == ("say which of adc.detectors: use: NAME")


def test_a_full_name_chooses_between_packages():
    registry = registry_of(entry("same"), entry("same", package="other"))
    assert registry.find("detectors", "other/same").package == "other"


def test_added_components_are_found_and_named():
    registry = registry_of()
    registry.add("mine", Mine)
    assert registry.load(Detector, "mine") is Mine
    assert registry.name_of(Mine) == "mine"
    assert message_of(registry.find, "detectors", "min") == (
        'adc.detectors has no "min": did you mean "mine"?'
    )
    assert message_of(registry.load, Enricher, "mine") == (
        'adc.enrichers has no "mine"; it has nothing installed'
    )


def test_a_name_that_is_installed_cannot_be_added():
    assert message_of(registry_of(entry("mine")).add, "mine", Mine) == (
        'adc.detectors already has "mine" from acme: choose another name'
    )


def test_records_keep_the_full_name():
    target = f"{Mine.__module__}:{Mine.__qualname__}"
    assert registry_of(entry("mine", target)).name_of(Mine) == "acme/mine"
    assert registry_of().name_of(Mine) == target


def test_discovery_happens_once():
    calls = []
    registry = Registry(lambda: calls.append(1) or [entry("a")])
    registry.entries("detectors")
    registry.entries("metrics")
    assert calls == [1]
