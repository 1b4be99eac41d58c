"""The page on which the owner and experts decide: everything that is known beside each sample."""

from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from adc_plugins_review.campaign.answers import Answer, judge
from adc_plugins_review.campaign.raters import Rater, add_owner, find_owner
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.campaign.suspects import (
    SHOWN,
    Suspects,
    answer_of,
    decisions,
    matching_classes,
    said_of,
)
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.guard import (
    DESK,
    GUARD,
    Body,
    body_of,
    check_owner,
    go_to,
    new_key,
    rater_in,
)
from adc_plugins_review.web.image_cache import jpeg_of
from adc_plugins_review.web.images import image_response, side_of
from adc_plugins_review.web.pages import page
from adc_plugins_review.web.worker_pages import WORDS, Key, Number, base_of, wants_json

SUSPECTS = web.AppKey("suspects", Suspects)


class DecisionBody(Body):
    """Decide about one sample."""

    key: Key
    row: Number
    decision: Literal["keep", "relabel", "drop", "undo"]
    label: Number | None = None
    filters: str = Field(default="", max_length=2_000)


async def expert_in(request: web.Request) -> Rater:
    """Let the owner pass, and raters who are trusted."""
    desk = request.app[DESK]
    if request.path.startswith("/o/"):
        await check_owner(request)
        owner = await desk.read(find_owner)
        return await desk.write(add_owner) if owner is None else owner
    rater = await rater_in(request)
    if not rater.trusted:
        raise request.app[GUARD].miss(request)
    return rater


def number_in(request: web.Request, name: str, end: int) -> int | None:
    """Read a whole number below `end` from the address; None where there is none."""
    given = request.query.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 and int(given) < end else None


async def relabel_page(request: web.Request) -> web.Response:
    """Show suspects, and all that is known of one of them."""
    await expert_in(request)
    desk = request.app[DESK]
    suspects, dataset = request.app[SUSPECTS], desk.source.dataset
    label = number_in(request, "class", len(dataset.classes))
    detector = request.query.get("detector")
    if detector not in desk.source.findings:
        detector = None
    open_only = request.query.get("open", "1") == "1"
    decided = await desk.read(decisions)
    at_random = request.query.get("random") == "1"
    left_out = set(decided) if open_only else set()
    rows = suspects.matching(label, detector, left_out, at_random=at_random)
    first = (number_in(request, "page", 1_000_000) or 0) * SHOWN
    shown = rows[first : first + SHOWN].tolist()
    row = number_in(request, "row", len(dataset))
    if row is None:
        row = shown[0] if shown else None
    filters = {"class": label, "detector": detector, "open": int(open_only), "page": first // SHOWN,
               "random": 1 if at_random else None}  # fmt: skip
    query = urlencode({name: value for name, value in filters.items() if value is not None})
    after = shown.index(row) + 1 if row in shown else 0
    return page(
        "relabel", base=base_of(request), classes=dataset.classes, ids=dataset.ids,
        labels=dataset.labels, shown=shown, total=len(rows), first=first, row=row, query=query,
        filters=filters, detectors=list(desk.source.findings), decided=decided, token=new_key(),
        previous=shown[after - 2] if after > 1 else None,
        following=shown[after] if after < len(shown) else None,
        last=number_in(request, "last", len(dataset)), size=SHOWN, suspects=suspects,
        owner=request.path.startswith("/o/"), **(await _evidence(desk, suspects, row)),
    )  # fmt: skip


async def _evidence(desk: Desk, suspects: Suspects, row: int | None) -> dict[str, Any]:
    if row is None:
        return {"opinions": [], "neighbors": [], "probable": [], "before": -1, "said": []}
    said = await desk.read(said_of, row)
    return {
        "opinions": suspects.opinions(row),
        "neighbors": suspects.neighbors(row),
        "probable": suspects.probable(row),
        "before": int(desk.source.collected.labels[desk.source.rows[row]]),
        "said": [(who, label, WORDS[answer]) for who, label, answer in said],
    }


async def keep_decision(request: web.Request) -> web.Response:
    """Keep a decision and go on to the next suspect."""
    rater, desk = await expert_in(request), request.app[DESK]
    body = await body_of(request, DecisionBody)
    dataset = desk.source.dataset
    known = body.label is None or body.label < len(dataset.classes)
    if (
        body.row >= len(dataset)
        or not known
        or (body.decision == "relabel") != (body.label is not None)
    ):
        raise Refused(400, "this decision is not complete: load the page again")
    given = int(dataset.labels[body.row])
    answer, label = answer_of(body.decision, given, body.label)
    sample = str(dataset.ids[body.row])
    await desk.write(judge, rater, body.key, body.row, sample, given, Answer(answer, label=label))
    if wants_json(request):
        return web.json_response({"kept": True})
    undone = body.decision == "undo"
    where = f"row={body.row}" if undone else f"last={body.row}"
    if not undone and (place := _following(request, body)) is not None:
        where += f"&row={place}"
    return go_to(f"{base_of(request)}/relabel?{body.filters}&{where}")


def _following(request: web.Request, body: DecisionBody) -> int | None:
    """Return the suspect after the one that was decided."""
    order = request.app[SUSPECTS].order
    if "open=1" in body.filters:
        return None  # the page begins with the first one that is open
    place = int((order == body.row).argmax())
    return int(order[place + 1]) if place + 1 < len(order) else None


async def search_classes(request: web.Request) -> web.Response:
    """Find classes by a part of their name."""
    await expert_in(request)
    classes = request.app[DESK].source.dataset.classes
    found = matching_classes(classes, request.query.get("q", "")[:100])
    return web.json_response([{"label": one, "name": classes[one]} for one in found])


async def expert_image(request: web.Request) -> web.Response:
    """Send any image: of the dataset under review, or as collected."""
    await expert_in(request)
    desk, side = request.app[DESK], side_of(request)
    of = desk.source.collected if request.match_info["of"] == "collected" else desk.source.dataset
    images, row = of.images, int(request.match_info["row"])
    if images is None or row >= len(of):
        raise Refused(404, "there is no such image")
    return image_response(request, await desk.decode(lambda: jpeg_of(images, row, side)))


def routes(worker: str, owner: str) -> list[web.RouteDef]:
    """List the addresses of the page, below both kinds of links."""
    return [
        route
        for link in (worker, owner)
        for route in (
            web.get(link + "/relabel", relabel_page),
            web.post(link + "/relabel", keep_decision),
            web.get(link + "/relabel/classes", search_classes),
            web.get(link + r"/relabel/{of:image|collected}/{row:\d{1,9}}", expert_image),
        )
    ]
