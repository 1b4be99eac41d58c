"""What is said of outcomes: while they arrive, and where too many are refusals."""

import warnings
from collections import Counter
from typing import TypeGuard

from adc_plugins_search.download.http.host_budget import HOST_REASONS
from adc_plugins_search.download.http.ssrf_guard import NOT_PUBLIC, names_private
from adc_plugins_search.download.outcomes import Outcome, Refused
from adc_plugins_search.download.results.build_dataset import CollectionTables


def outcome_label(outcome: Outcome) -> str:
    """Return what became of an image, in a word or two."""
    return outcome.reason.value if isinstance(outcome, Refused) else "kept"


def is_of_host_given_up(outcome: Outcome) -> TypeGuard[Refused]:
    """Tell whether an image is left out only because its host gave nothing to anybody."""
    return isinstance(outcome, Refused) and outcome.reason in HOST_REASONS and not outcome.lasting


def warn_of_hosts(given_up: Counter[str]) -> None:
    """Say what is missing because whole hosts were given up.

    Args:
        given_up: how many images are left out for each reason that names a host.
    """
    if not given_up:
        return
    detail, _ = given_up.most_common(1)[0]
    hosts = "1 host" if len(given_up) == 1 else f"{len(given_up):,} hosts"
    warnings.warn(
        f"{given_up.total():,} images of {hosts} are left out: {detail}; collect again later to "
        "ask for them again",
        stacklevel=2,
    )


def all_refused_message(tables: CollectionTables) -> str:
    """Return what to say where nothing is left of a collection."""
    counts = ", ".join(f"{count} {reason}" for reason, count in tables.reasons.most_common())
    assert tables.example is not None
    url, refused = tables.example
    advice = "check the network and the options"
    if refused.detail == NOT_PUBLIC:
        advice = "if it is a service of your own, list its host:port in allow_hosts"
    return (
        f"none of the {tables.reasons.total()} images that were found could be used ({counts}); "
        f"{url!r} was refused: {refused.detail}; {advice}"
    )


def contact_needed_message(host: str, port: int) -> str:
    """Say why a host is not asked by somebody who gives no `contact`, and what to do."""
    if names_private(host):
        named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return (
            f"allow_hosts: {named} is on this machine or in a private network: if it is a service "
            f"of your own, list it in the downloader's `allow_hosts: ['{named}']`; it needs no "
            "contact"
        )
    return (
        f"contact: {host} is another machine, whose owner must be able to reach you: "
        "set the downloader's `contact` to an address of yours"
    )
