"""The page on which the owner and experts say which of the images that look alike stays."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

import numpy as np
from aiohttp import web
from pydantic import Field

from adc_plugins_review.campaign.duplicates import (
    MOST_SHOWN,
    DuplicateGroups,
    decided_copies,
    judge_copies,
)
from adc_plugins_review.campaign.progress import picked_rows
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.campaign.suspects import SHOWN
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.guard import DESK, Body, body_of, go_to, new_key
from adc_plugins_review.web.pages import page
from adc_plugins_review.web.relabel_pages import expert_in, number_in
from adc_plugins_review.web.worker_pages import Key, Number, base_of

GROUPS = web.AppKey("groups", DuplicateGroups)


class CopiesBody(Body):
    """Decide about the images of a group that were shown."""

    LISTS: ClassVar[tuple[str, ...]] = ("rows",)

    key: Key
    group: Number
    rows: list[Number] = Field(min_length=2, max_length=MOST_SHOWN)
    decision: Literal["drop", "apart", "undo"]
    keep: Number | None = None
    filters: str = Field(default="", max_length=2_000)


async def duplicates_page(request: web.Request) -> web.Response:
    """Show groups of images that look alike, and the members of one of them."""
    await expert_in(request)
    desk, groups = request.app[DESK], request.app[GROUPS]
    dataset, open_only = desk.source.dataset, request.query.get("open", "1") == "1"
    stays, picked = await desk.read(decided_copies), await desk.read(picked_rows)
    # In a thread: the links of a large dataset take a while, once.
    listed = await desk.decode(lambda: groups.in_order(list(stays), picked))
    done = sum(one[-1] for one in listed)
    wanted = [one for one in listed if not (open_only and one[-1])]
    start = (number_in(request, "page", 1_000_000) or 0) * SHOWN
    shown = wanted[start : start + SHOWN]
    firsts = [one[0] for one in shown]
    group = number_in(request, "group", len(dataset))
    if group is None or group not in {one[0] for one in listed}:
        group = firsts[0] if firsts else None
    after = firsts.index(group) + 1 if group in firsts else 0
    filters = {"open": int(open_only), "page": start // SHOWN}
    return page(
        "duplicates", base=base_of(request), owner=request.path.startswith("/o/"),
        known=groups.known, similarity=desk.plan.duplicate_similarity, total=len(listed),
        done=done, listed=shown, start=start, wanted=len(wanted), group=group, size=SHOWN,
        most=MOST_SHOWN, open_only=open_only, query=urlencode(filters), key=new_key(),
        previous=firsts[after - 2] if after > 1 else None,
        following=firsts[after] if after < len(firsts) else None,
        last=number_in(request, "last", len(dataset)), ids=dataset.ids, classes=dataset.classes,
        labels=dataset.labels, stays=stays, picked=set(picked.tolist()),
        **(await _members(desk, groups, group, stays)),
    )  # fmt: skip


async def _members(
    desk: Desk, groups: DuplicateGroups, group: int | None, stays: dict[int, str | None]
) -> dict[str, Any]:
    """Describe the members of a group, and mark the one to keep: the largest, then the first id."""
    if group is None:
        return {"rows": [], "sizes": {}, "marked": None, "count": 0, "decided": False}
    rows = groups.shown(group, stays)
    sizes = await desk.decode(lambda: {row: groups.size(row) for row in rows})
    ids = desk.source.dataset.ids
    kept = {name for row in rows if (name := stays.get(row))}
    best = min(
        rows, key=lambda row: (str(ids[row]) not in kept, -sizes[row][0] * sizes[row][1], ids[row])
    )
    count = int((groups.first == group).sum())
    decided = any(row in stays for row in rows)
    return {"rows": rows, "sizes": sizes, "marked": best, "count": count, "decided": decided}


async def keep_copies(request: web.Request) -> web.Response:
    """Keep a decision and go on to the next group."""
    rater, desk, groups = await expert_in(request), request.app[DESK], request.app[GROUPS]
    body = await body_of(request, CopiesBody)
    dataset = desk.source.dataset
    first = await desk.decode(lambda: groups.first)
    rows: Sequence[int] = sorted(set(body.rows))
    inside = body.group < len(dataset) and rows[-1] < len(dataset)
    if (
        not inside
        or (first[rows] != body.group).any()
        or (body.decision == "drop" and body.keep not in rows)
    ):
        raise Refused(400, "this decision is not complete: load the page again")
    undone = body.decision == "undo"
    if undone:  # all that was decided of the group, shown or not
        rows = np.flatnonzero(first == body.group).tolist()
    samples = [(row, str(dataset.ids[row]), int(dataset.labels[row])) for row in rows]
    kept = str(dataset.ids[body.keep]) if body.decision == "drop" else None
    await desk.write(judge_copies, rater, body.key, samples, decided=not undone, kept=kept)
    where = f"group={body.group}" if undone else f"last={body.group}"
    return go_to(f"{base_of(request)}/duplicates?{body.filters}&{where}")


def routes(worker: str, owner: str) -> list[web.RouteDef]:
    """List the addresses of the page, below both kinds of links."""
    return [
        route
        for link in (worker, owner)
        for route in (
            web.get(link + "/duplicates", duplicates_page),
            web.post(link + "/duplicates", keep_copies),
        )
    ]
