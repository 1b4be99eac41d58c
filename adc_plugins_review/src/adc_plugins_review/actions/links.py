"""`adc review FOLDER links`: list the links, make more, revoke them; for platforms too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from adc_core import InputError
from adc_core.errors import unknown_name
from adc_core.storage import atomic_file
from adc_plugins_review.campaign.plan import REVIEW
from adc_plugins_review.campaign.raters import (
    KEEP_IDS,
    Rater,
    add_rater,
    campaign_token,
    forget,
    owner_token,
    raters,
    set_state,
    token_of,
)
from adc_plugins_review.campaign.store import Store

_PROLIFIC = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
_MTURK_SCHEMA = (
    "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/"
    "ExternalQuestion.xsd"
)
QUESTION = "question.xml"


@dataclass(frozen=True)
class LinkOptions:
    """What to do with the links; see `adc review FOLDER links --help`."""

    n: int = 0
    name: str | None = None
    trusted: bool = False
    revoke: str | None = None
    forget: str | None = None
    owner: bool = False
    platform: Literal["prolific", "mturk"] | None = None
    code: str | None = None
    keep_ids: bool = False


def change_links(store: Store, folder: Path, url: str, options: LinkOptions) -> list[str]:
    """Do what the options say; return a line for each link.

    Raises:
        InputError: there is nobody of that name, or a platform needs another address.
    """
    if options.keep_ids and options.platform is None:
        raise InputError("--keep-ids is about people of a platform: add --for prolific or mturk")
    if options.owner:
        return [f"owner: {url}/o/{owner_token(store, new=True)}"]
    for name, change in ((options.revoke, _revoke), (options.forget, forget)):
        if name is not None:
            change(store, _find(store, name).id)
            return [f"{name}: done"]
    if options.platform is not None:
        return _platform_links(store, folder, url, options)
    wanted = options.n or (1 if options.name or options.trusted else 0)
    if options.name and wanted > 1:
        raise InputError("--name is for one link: leave out -n")
    new = [add_rater(store, options.name, trusted=options.trusted) for _ in range(wanted)]
    shown = new or [rater for rater in raters(store) if rater.linked]
    return [
        f"{rater.name or rater.pseudonym}: {url}/w/{token_of(store, rater.id)}" for rater in shown
    ]


def _revoke(store: Store, rater: int) -> None:
    set_state(store, rater, "revoked")


def _find(store: Store, name: str) -> Rater:
    known = raters(store)
    for rater in known:
        if name in (rater.pseudonym, rater.name):
            return rater
    raise InputError(unknown_name("rater", name, [rater.pseudonym for rater in known]))


def _platform_links(store: Store, folder: Path, url: str, options: LinkOptions) -> list[str]:
    join = f"{url}/join/{campaign_token(store)}"
    with store.transaction():
        if options.code is not None:
            store.set_meta("code", options.code)
        store.set_meta(KEEP_IDS, "1" if options.keep_ids else "")
    if options.platform == "prolific":
        return [f"{join}?{_PROLIFIC}"]
    if urlsplit(url).scheme != "https":
        raise InputError("MTurk shows pages over HTTPS alone: give --public-url https://…")
    path = folder / REVIEW / QUESTION
    with atomic_file(path) as part:
        part.write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<ExternalQuestion xmlns="{_MTURK_SCHEMA}">\n'
            f"  <ExternalURL>{escape(join)}</ExternalURL>\n"
            "  <FrameHeight>0</FrameHeight>\n"
            "</ExternalQuestion>\n",
            encoding="utf-8",
        )
    return [str(path)]
