"""Queries from a bundled vocabulary: no model, no network, the same words every time."""

from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from adc_core import Brief, Design, Designer, InputError
from adc_core.records import ClassName
from adc_plugins_search.designers.attributes import design_of
from adc_plugins_search.terms.proposals import Groups, Proposal
from adc_plugins_search.terms.vocabulary import (
    ATTRIBUTES,
    Attribute,
    groups_for,
    is_known,
    read_words,
    values_for,
)


class VocabularyDesigner(Designer):
    """Combines garments with colours, materials and patterns of a bundled vocabulary.

    It needs no model: the words are those of the ADC paper's Table 6, cleaned and sorted into
    groups. Of each attribute a class gets `values_per_attribute` values that suit it and differ:
    colours by their distance in CIELAB, at most two of a group; materials and patterns from all
    groups in turn. A class that the vocabulary does not know is an error, or gets words of all
    groups if `generic`.

    Every combination makes a query, in the order colour, material, pattern, class. A plain pattern
    is an attribute of the images but no word of the query, since nobody writes it.
    """

    renamed_options: ClassVar[Mapping[str, str]] = {"each": "values_per_attribute"}

    attributes: tuple[Attribute, ...] = Field(
        default=ATTRIBUTES, min_length=1, description="in the order of the words"
    )
    values_per_attribute: int = Field(
        default=10, ge=1, description="values of each attribute for each class"
    )
    classes: tuple[ClassName, ...] = Field(
        default=(), description="where the brief leaves them open; by default the paper's twelve"
    )

    generic: bool = Field(
        default=False,
        description="words of all kinds for classes that the vocabulary does not know",
    )

    def design(self, brief: Brief) -> Design:
        """Return the classes of the brief, the options or the vocabulary, with all combinations.

        Raises:
            InputError: a class is not in the vocabulary.
        """
        chosen: dict[str, dict[str, tuple[str, ...]]] = {
            name: {
                attribute: values_for(attribute, name, self.values_per_attribute)
                for attribute in self.attributes
            }
            for name in self._classes(brief)
        }
        return design_of(
            chosen, brief.samples_per_query, omit_from_query=read_words()["omit_from_query"]
        )

    def propose(self, brief: Brief) -> Iterator[Proposal]:
        """Return all values that suit each class, those of the design chosen.

        Raises:
            InputError: a class is not in the vocabulary.
        """
        for name in self._classes(brief):
            for attribute in self.attributes:
                chosen = values_for(attribute, name, self.values_per_attribute)
                yield Proposal(name, attribute, groups_for(attribute, name), chosen)

    def more(
        self, brief: Brief, class_name: str, attribute: str, count: int, known: Collection[str]
    ) -> Groups:
        """Return nothing: the proposal had all values."""
        return {}

    def _classes(self, brief: Brief) -> tuple[str, ...]:
        known = read_words()["classes"]
        classes = brief.classes or self.classes or tuple(known)
        strange = [name for name in classes if not is_known(name)]
        if strange and not self.generic:
            raise InputError(
                f"the vocabulary does not know {', '.join(strange)}, but {', '.join(known)}: set "
                "generic for words of all kinds, or write a design file"
            )
        return classes
