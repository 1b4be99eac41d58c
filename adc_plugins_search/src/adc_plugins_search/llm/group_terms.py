"""Terms that a model finds right, in its groups."""

from collections.abc import Sequence

from adc_core import Brief, WorkError
from adc_endpoint import ChatModel
from adc_plugins_search.llm.answer_schemas import GroupsAnswer
from adc_plugins_search.llm.prompts import ask_groups
from adc_plugins_search.terms.normalize import canonical_key, filter_terms, normalize
from adc_plugins_search.terms.proposals import Groups

_MAX_NAME_LENGTH = 30


def group_terms_by_model(
    model: ChatModel, brief: Brief, class_name: str, attribute: str, words: Sequence[str]
) -> Groups:
    """Return the terms that the model finds right, in its groups, and filtered again by rules.

    Only words that were given count. An answer that was cut is asked for in smaller parts.
    """
    group_of: dict[str, str] = {}
    left, size = list(words), len(words)
    while left:
        part = left[:size]
        reply = model.complete(ask_groups(class_name, attribute, part), GroupsAnswer)
        given = {canonical_key(word) for word in part}
        sorted_ = {
            canonical_key(word): normalize(group.name)[:_MAX_NAME_LENGTH] or "other"
            for group in reply.value.groups
            for word in group.options
            if canonical_key(word) in given
        }
        group_of = sorted_ | group_of
        if reply.cut:
            unsorted = [word for word in part if canonical_key(word) not in sorted_]
            size = len(part) if sorted_ else len(part) // 2
            left = (unsorted + left[len(part) :]) if size else left[len(part) :]
            size = max(1, size)
        else:
            left = left[len(part) :]
    kept = filter_terms(words, attribute, class_name, brief.classes).kept
    groups: dict[str, list[str]] = {}
    for word in kept:
        if canonical_key(word) in group_of:
            groups.setdefault(group_of[canonical_key(word)], []).append(word)
    if not groups:
        raise WorkError(
            f"{model.name} found no {attribute} of {class_name} right: try another model"
        )
    return groups
