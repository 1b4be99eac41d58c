"""One word for one meaning: options of first-party components against the table in CONTRIBUTING."""

import re
from collections import defaultdict
from pathlib import Path

from adc_core.components.interfaces import interface_of
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.components.registry import registry

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Option words\n")[2].partition("\n## ")[0]
ROWS = {
    row[0].strip("`"): row
    for line in SECTION.splitlines()
    if line.startswith("| `")
    for row in [[cell.strip() for cell in line.strip("|").split("|")]]
}
OWN_MEANING = set(re.findall(r"`(\w+)`", SECTION.rstrip().rpartition("\n\n")[2]))
"""Words of the last paragraph: symbols of papers, which mean what each component says."""


def components():
    """Every first-party component with its kind."""
    for kind, name in PACKAGE_OF:
        if kind in registry.kinds():
            yield kind, registry.load(interface_of(kind), f"{PACKAGE_OF[kind, name]}/{name}")


def kinds_by_option():
    """Option to the kinds of component that have it, and to the classes that declare it."""
    kinds, owners = defaultdict(set), defaultdict(set)
    for kind, component in components():
        for option in component.model_fields:
            kinds[option].add(kind)
            bases = [
                base
                for base in component.__mro__
                if option in vars(base).get("__annotations__", {})
            ]
            owners[option].add(bases[-1])
    return kinds, owners


KINDS_OF, OWNERS_OF = kinds_by_option()


def test_the_table_says_who_has_each_word():
    for word, (_, _, _, who, _) in ROWS.items():
        assert KINDS_OF[word] == set(who.split(", ")), f"CONTRIBUTING.md: who has {word}"


def test_no_component_uses_another_word():
    refused = {other for row in ROWS.values() for other in re.findall(r"`(\w+)`", row[4])}
    assert len(refused) > 50
    assert not refused & set(KINDS_OF)


def test_every_word_that_several_components_declare_is_in_the_table():
    shared = {option for option, owners in OWNERS_OF.items() if len(owners) > 1}
    assert shared - OWN_MEANING == shared & set(ROWS)
    assert not OWN_MEANING & set(ROWS)


def test_former_words_stay_refused():
    for _, component in components():
        for former, present in component.renamed_options.items():
            assert present in component.model_fields
            assert former not in component.model_fields
            if former not in KINDS_OF:
                refused = ROWS[present][4] if present in ROWS else ""
                assert f"`{former}`" in refused, f"CONTRIBUTING.md: {former} was {present}"
