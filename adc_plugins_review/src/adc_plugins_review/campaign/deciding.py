"""When a sample has votes enough, and what they say together."""

from collections.abc import Sequence

from adc_plugins_review.campaign.plan import VotesRule

YES, UNSURE, NO = 1, 0, -1


def decide(rule: VotesRule, answers: Sequence[int]) -> bool | None:
    """Tell whether a label is accepted: True, False, or None while votes are missing.

    Args:
        rule: of the plan. `1`: the first answer; `3`: more than half of the first three are yes;
            `one-then-two`: a first yes accepts, and after a first doubt two of three must be yes,
            so that two doubts decide at once.
        answers: 1 yes, 0 unsure, -1 no, in the order in which they came.
    """
    first = list(answers[: 1 if rule == "1" else 3])
    yes = first.count(YES)
    if rule == "1":
        return bool(yes) if first else None
    if rule == "one-then-two" and first and first[0] == YES:
        return True
    if rule == "one-then-two" and len(first) - yes >= 2:
        return False
    return yes >= 2 if len(first) == 3 else None


def wanted_votes(rule: VotesRule, answers: Sequence[int]) -> int:
    """Return how many votes a sample is to have, given those that it has."""
    if rule == "one-then-two":
        if not answers:
            return 1
        return 3 if decide(rule, answers) is None else len(answers)
    return int(rule)
