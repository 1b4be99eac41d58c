"""A certificate as lines of text."""

import math

from adc_plugins_review.actions.certify_review import Certificate


def lines_of_certificate(found: Certificate) -> list[str]:
    """Say what is certified, of what, from what, and what wrong means."""
    bound = found.bound
    people = "1 person" if found.people == 1 else f"{found.people:,} people"
    judged = f", as judged by {people} ({found.rule})" if found.reading == "as judged" else ""
    subject = "residual label noise" if found.of == "dataset" else "label noise of the test set"
    picked = "" if found.of == "dataset" else " that people picked"
    when = (
        f"looked at once, as planned on {found.plan_created[:10]}"
        if bound.look == "once"
        else f"valid at any time, planned on {found.plan_created[:10]}"
    )
    modelled = (
        f"; {100 * found.modelled:.1f} % by a model of the raters (Dawid and Skene), which proves "
        "nothing"
        if found.modelled is not None
        else ""
    )
    return [
        f"{subject} ≤ {_percent(bound.rate_upper)} with "
        f"{100 * found.confidence:g} % confidence{judged}",
        f"  {bound.population:,} samples{picked}; {_looked_at(found)}",
        f"  {found.votes:,} votes, {found.open:,} open; {when} (plan {found.plan[:4]}…); "
        f"best guess {100 * bound.best_guess:.1f} %{modelled}; without the repairs ≤ "
        f"{_percent(bound.rate_without_repairs, 1)}",
        f"  {_meaning(found)}",
    ]


def _looked_at(found: Certificate) -> str:
    bound = found.bound
    if bound.drawn == bound.population:
        return f"all looked at, {bound.drawn_wrong:,} judged wrong and removed"
    repaired, others = "", ""
    if bound.repaired:
        repaired = (
            f"the {bound.repaired:,} most suspicious looked at, {bound.repaired_wrong:,} judged "
            "wrong and removed; "
        )
        others = f" of the other {bound.population - bound.repaired:,}"
    drawn = f"{bound.drawn:,}{others} drawn at random, {bound.drawn_wrong:,} judged wrong"
    more = bound.dropped - bound.repaired_wrong - bound.removed
    if not more:
        return f"{repaired}{drawn}"
    why = "for the test set, as duplicates or by an expert"
    return f"{repaired}{drawn}; {more:,} more {'leaves' if more == 1 else 'leave'}, {why}"


def _meaning(found: Certificate) -> str:
    bound = found.bound
    if found.reading == "as judged":
        return (
            "no control questions were asked: wrong means that these people would not accept the "
            "label"
        )
    return (
        f"truly wrong, if these people let at most {_percent(bound.miss_upper, 1)} of wrong "
        f"labels pass (control questions: {bound.gold_missed} of {bound.gold_shown})"
    )


def _percent(share: float, digits: int = 2) -> str:
    """Write a share in percent; the last digit is rounded up, as a bound has to be."""
    scale = 10**digits
    return f"{math.ceil(round(100 * share * scale, 6)) / scale:.{digits}f} %"
