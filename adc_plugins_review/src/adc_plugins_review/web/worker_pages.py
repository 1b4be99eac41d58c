"""The pages of those who vote and select. Nothing on them tells what is known of a sample."""

from typing import Annotated, Any, ClassVar, Literal

from aiohttp import web
from pydantic import Field

from adc_plugins_review.campaign.answers import Answer, select, vote
from adc_plugins_review.campaign.dealing import PLACES, Batch, Dealt, deal, submit
from adc_plugins_review.campaign.deciding import NO, UNSURE, YES
from adc_plugins_review.campaign.progress import own_progress
from adc_plugins_review.campaign.raters import Rater, keeps_id
from adc_plugins_review.campaign.signals import stop_who_does_not_look
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.instructions.write import PAGE as INSTRUCTIONS
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.guard import (
    DESK,
    GUARD,
    OWN_HEADER,
    POLICY,
    Body,
    body_of,
    go_to,
    new_key,
    rater_in,
)
from adc_plugins_review.web.pages import page
from adc_plugins_review.web.platform_pages import way_back_of

ANSWERS = {"yes": YES, "unsure": UNSURE, "no": NO}
WORDS = {number: word for word, number in ANSWERS.items()}

Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[\w-]+$")]
Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]
Number = Annotated[int, Field(ge=0, le=999_999_999)]


class BatchBody(Body):
    """Ask for images."""

    task: Literal["vote", "select"]


class VoteBody(Body):
    """Answer to one image."""

    key: Key
    n: Number
    answer: Literal["yes", "unsure", "no"]
    ms: Milliseconds = 0
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)


class SelectBody(Body):
    """Pick images of one grid."""

    LISTS: ClassVar[tuple[str, ...]] = ("chosen",)

    key: Key
    batch: Number
    grid: Number
    chosen: list[Number] = Field(default_factory=list, max_length=PLACES)
    fewer: bool = False
    ms: Milliseconds = 0


class SubmitBody(Body):
    """Close a batch."""

    batch: Number


def base_of(request: web.Request) -> str:
    """Return the path of somebody's link."""
    return "/".join(request.path.split("/")[:3])


def wants_json(request: web.Request) -> bool:
    """Tell the script from a form."""
    return OWN_HEADER in request.headers


async def start_page(request: web.Request) -> web.Response:
    """Say what it is about, how to do it and how long it takes."""
    rater, desk = await rater_in(request), request.app[DESK]
    own = await desk.read(own_progress, rater)
    back = await desk.read(way_back_of, rater)
    return page(
        "start", base=base_of(request), plan=desk.plan, own=own, trusted=rater.trusted,
        over=rater.state != "active", back=back,
        examples=(desk.review / INSTRUCTIONS).is_file(), kept=await desk.read(keeps_id, rater.id),
    )  # fmt: skip


async def instructions_page(request: web.Request) -> web.Response:
    """Show what the classes look like, where that was written."""
    await rater_in(request)
    path = request.app[DESK].review / INSTRUCTIONS
    if not path.is_file():
        raise Refused(404, "nobody has written instructions for this review")
    text = await request.app[DESK].decode(lambda: path.read_text("utf-8"))
    policy = {POLICY: request.app[GUARD].whole_page_policy}
    return web.Response(text=text, content_type="text/html", headers=policy)


def asked(desk: Desk, base: str, item: Dealt) -> dict[str, Any]:
    """Describe one image to the page: what is asked, and where the image is."""
    attributes = desk.source.dataset.attributes if desk.plan.show_attributes else {}
    label = desk.plan.classes[item.label]
    before, _, after = desk.plan.question.partition("{label}")
    return {
        "n": item.n,
        "image": f"{base}/image/{item.n}",
        "label": label,
        "question": [before, label, after],
        "attributes": {name: str(column[item.row]) for name, column in attributes.items()},
    }


def batch_json(desk: Desk, base: str, batch: Batch | None) -> dict[str, Any]:
    """Describe a batch to the page, and what was answered of it already."""
    if batch is None:
        return {"batch": None, "items": [], "answered": {}}
    return {
        "batch": batch.id,
        "items": [asked(desk, base, item) for item in batch.items],
        "answered": {
            str(item.n): WORDS[item.answer] for item in batch.items if item.answer is not None
        },
    }


async def deal_batch(request: web.Request) -> web.Response:
    """Deal images to the script."""
    rater, desk = await rater_in(request), request.app[DESK]
    body = await body_of(request, BatchBody)
    batch = await desk.write(deal, rater, body.task)
    return web.json_response(batch_json(desk, base_of(request), batch))


async def vote_page(request: web.Request) -> web.Response:
    """Show one image and three buttons; the script takes over where there is one."""
    rater, desk, base = await rater_in(request), request.app[DESK], base_of(request)
    batch = await _dealt(desk, rater, "vote")
    if batch is None:
        return await _nothing(request, rater, "vote")
    unanswered = [place for place, item in enumerate(batch.items) if item.answer is None]
    place = unanswered[0] if unanswered else len(batch.items)
    if (given := request.query.get("n", "")).isdecimal():
        known = {item.n: number for number, item in enumerate(batch.items)}
        place = known.get(int(given[:9]), place)
    data = batch_json(desk, base, batch)
    item = data["items"][place] if place < len(batch.items) else None
    return page(
        "vote", base=base, plan=desk.plan, data=data, item=item, place=place, key=new_key(),
        total=len(batch.items), before=batch.items[place - 1].n if place else None,
        answered=data["answered"].get(str(item["n"])) if item else None,
    )  # fmt: skip


async def keep_vote(request: web.Request) -> web.Response:
    """Keep an answer; it is on the disk when this answers."""
    rater, desk = await rater_in(request), request.app[DESK]
    body = await body_of(request, VoteBody)
    answer = Answer(ANSWERS[body.answer], ms=body.ms, confidence=body.confidence)
    left = await desk.write(vote, rater, body.key, body.n // PLACES, body.n % PLACES, answer)
    if wants_json(request):
        return web.json_response({"kept": True, "left": left})
    return go_to(f"{base_of(request)}/vote")


async def select_page(request: web.Request) -> web.Response:
    """Show a grid of images to pick from: a form of checkboxes."""
    rater, desk, base = await rater_in(request), request.app[DESK], base_of(request)
    batch = await _dealt(desk, rater, "select")
    if batch is None:
        return await _nothing(request, rater, "select")
    grids = list(dict.fromkeys(item.grid for item in batch.items))
    open_grids = await desk.read(_open_grids, batch.id)
    place = grids.index(open_grids[0]) if open_grids else len(grids)
    if (given := request.query.get("g", "")).isdecimal() and int(given[:9]) < len(grids):
        place = int(given[:9])
    if place == len(grids):
        return page("select_end", base=base, batch=batch.id, total=len(grids))
    items = [item for item in batch.items if item.grid == grids[place]]
    return page(
        "select", base=base, plan=desk.plan, batch=batch.id, grid=grids[place], place=place,
        total=len(grids), task=desk.plan.select[grids[place]], key=new_key(), places=PLACES,
        items=items, label=desk.plan.classes[items[0].label],
    )  # fmt: skip


def _open_grids(store: Any, batch: int) -> list[int]:
    rows = store.db.execute(
        "SELECT number FROM grid WHERE batch = ? AND done IS NULL ORDER BY number", (batch,)
    )
    return [row[0] for row in rows]


async def keep_selection(request: web.Request) -> web.Response:
    """Keep which images of a grid were picked."""
    rater, desk = await rater_in(request), request.app[DESK]
    body = await body_of(request, SelectBody)
    left = await desk.write(
        select, rater, body.key, body.batch, body.grid, body.chosen, fewer=body.fewer, ms=body.ms
    )
    if wants_json(request):
        return web.json_response({"kept": True, "left": left})
    return go_to(f"{base_of(request)}/select")


async def close_batch(request: web.Request) -> web.Response:
    """Close a batch; whoever does not look at the images gets no other."""
    rater, desk, base = await rater_in(request), request.app[DESK], base_of(request)
    body = await body_of(request, SubmitBody)
    await desk.write(submit, rater, body.batch)
    await desk.write(stop_who_does_not_look, rater)
    if wants_json(request):
        return web.json_response({"closed": True})
    return go_to(base)


async def _dealt(desk: Desk, rater: Rater, task: Literal["vote", "select"]) -> Batch | None:
    try:
        return await desk.write(deal, rater, task)
    except Refused as error:
        if error.status != 410:
            raise
        return None


async def _nothing(request: web.Request, rater: Rater, task: str) -> web.Response:
    """Say that nothing can be dealt: for good, or while others have what is left."""
    own = await request.app[DESK].read(own_progress, rater)
    if rater.state == "active" and task in own.left:
        wait = "others have the last images at the moment: look in again in a quarter of an hour"
        return page("message", message=wait)
    return await start_page(request)
