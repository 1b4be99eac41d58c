"""The owner's dashboard: how far it is, what people say, who they are, and their links."""

import math
import tempfile
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
from aiohttp import web
from pydantic import Field

from adc_plugins_review.aggregation.agreement import Agreement
from adc_plugins_review.campaign.agreement import (
    FEWEST,
    AgreementFigures,
    KeptFigures,
    counted_answers,
)
from adc_plugins_review.campaign.dealing import set_finished
from adc_plugins_review.campaign.export import counted_votes, events, rater_rows
from adc_plugins_review.campaign.progress import (
    answer_patterns,
    batch_figures,
    parts,
    task_progress,
)
from adc_plugins_review.campaign.raters import add_rater, raters, set_state, token_of
from adc_plugins_review.campaign.store import Refused, Store
from adc_plugins_review.votes.votes_table import inert, write_votes
from adc_plugins_review.web.charts import BASE, HEIGHT, WIDTH, histogram_bars, whole_number_bars
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.guard import DESK, Body, body_of, check_owner, go_to
from adc_plugins_review.web.pages import page
from adc_plugins_review.web.worker_pages import base_of

FIGURES = web.AppKey("figures", KeptFigures)

PAPER_SECONDS = {"vote": "3.0–3.6", "select": "18–22"}
"""Of a vote and of a selection, as the wages in the ADC paper imply."""


class LinkBody(Body):
    """Make a link for somebody."""

    name: str = Field(default="", max_length=100)
    trusted: bool = False


class RaterBody(Body):
    """Name somebody."""

    rater: int = Field(ge=1, le=999_999_999)


class FinishBody(Body):
    """End the review, or let it go on."""

    finished: bool


def noise_rates(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return the three noise rates of the ADC paper's Table 7, each with its exact 95 % interval.

    Args:
        counts: of `answer_patterns`.
    """
    from scipy.special import betaincinv  # a heavy one, and nobody who votes needs it

    total = sum(counts.values())
    accepted = {
        "majority": ("YYY", "YYU", "YYN"),
        "no-objection": ("YYY", "YYU"),
        "unanimous": ("YYY",),
    }
    rates = []
    for rule, patterns in accepted.items():
        wrong = total - sum(counts[pattern] for pattern in patterns)
        low = float(betaincinv(wrong, total - wrong + 1, 0.025)) if wrong else 0.0
        high = float(betaincinv(wrong + 1, total - wrong, 0.975)) if wrong < total else 1.0
        rates.append({"rule": rule, "rate": wrong / total if total else None, "low": low,
                      "high": high})  # fmt: skip
    return rates


def numbers(store: Store) -> dict[str, Any]:
    """Collect everything that the dashboard shows."""
    counts = answer_patterns(store)
    batches, seconds = batch_figures(store)
    return {
        "tasks": task_progress(store),
        "parts": parts(store),
        "patterns": counts,
        "judged_by_three": sum(counts.values()),
        "rates": noise_rates(counts),
        "raters": [
            {
                **row,
                "name": rater.name,
                "id": rater.id,
                "token": token_of(store, rater.id) if rater.linked else None,
            }
            for row, rater in zip(rater_rows(store), raters(store), strict=True)
        ],
        "rehearsed": store.meta("rehearsed") is not None,
        "finished": store.meta("finished") is not None,
        "batches": batches,
        "seconds": seconds,
    }


async def _agreement(desk: Desk, kept: KeptFigures) -> AgreementFigures:
    """Compute in a thread of its own, so that nobody who votes waits for it."""
    answers = await desk.read(counted_answers)
    return await desk.decode(lambda: kept.of(answers))


async def dashboard(request: web.Request) -> web.Response:
    """Show the dashboard."""
    await check_owner(request)
    desk = request.app[DESK]
    found = await desk.read(numbers)
    agreement = await _agreement(desk, request.app[FIGURES])
    more = request.query.get("all") == "1"
    return page(
        "dashboard", base=base_of(request), plan=desk.plan, url=desk.public_url,
        paper=PAPER_SECONDS,
        charts={"width": WIDTH, "height": HEIGHT, "base": BASE}, all_raters=more,
        batch_bars=whole_number_bars(found["batches"], 1 if more else 3),
        second_bars=histogram_bars(found["seconds"]), folder=desk.source.folder,
        certificate=desk.certificate, agreement=agreement, fewest=FEWEST, **found,
    )  # fmt: skip


async def as_json(request: web.Request) -> web.Response:
    """Send the numbers of the dashboard, without links and names."""
    await check_owner(request)
    desk = request.app[DESK]
    found = await desk.read(numbers)
    agreement = await _agreement(desk, request.app[FIGURES])
    found["tasks"] = [vars(one) for one in found["tasks"]]
    found["parts"] = [vars(one) for one in found["parts"]]
    found["agreement"] = _as_fields(agreement.overall)
    found["agreement_of_classes"] = {
        desk.plan.classes[label]: _as_fields(one) for label, one in agreement.classes.items()
    }
    hidden = ("token", "name", "id")
    found["raters"] = [
        {key: value for key, value in row.items() if key not in hidden}
        | {"discernment": agreement.discernment.get(row["id"])}
        for row in found["raters"]
    ]
    return web.json_response(found)


def _as_fields(found: Agreement) -> dict[str, float | None]:
    fields = found._asdict().items()
    return {name: None if math.isnan(value) else value for name, value in fields}


async def make_link(request: web.Request) -> web.Response:
    """Make a link for one more person."""
    await check_owner(request)
    body = await body_of(request, LinkBody)
    await request.app[DESK].write(add_rater, body.name.strip() or None, trusted=body.trusted)
    return go_to(f"{base_of(request)}#links")


def _state_setter(state: Literal["active", "blocked"]) -> Any:
    async def set_it(request: web.Request) -> web.Response:
        await check_owner(request)
        body = await body_of(request, RaterBody)
        await request.app[DESK].write(set_state, body.rater, state)
        return go_to(f"{base_of(request)}#raters")

    return set_it


async def finish(request: web.Request) -> web.Response:
    """Deal no more images, or deal again."""
    await check_owner(request)
    body = await body_of(request, FinishBody)
    await request.app[DESK].write(set_finished, body.finished)
    return go_to(base_of(request))


async def download(request: web.Request) -> web.Response:
    """Send the votes as a table."""
    await check_owner(request)
    name = request.match_info["name"]
    if name not in ("votes.csv", "votes.parquet", "events.csv"):
        raise Refused(404, "there is no such page: you need a link")
    content = await request.app[DESK].read(_table, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    kind = "text/csv" if name.endswith(".csv") else "application/octet-stream"
    return web.Response(body=content, content_type=kind, headers=headers)


def _table(store: Store, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        if name == "events.csv":
            pa.csv.write_csv(inert(events(store)), path)
        else:
            write_votes(counted_votes(store), path)
        return path.read_bytes()


def routes(owner: str) -> list[web.RouteDef]:
    """List the addresses of the dashboard."""
    return [
        web.get(owner, dashboard),
        web.get(owner + "/numbers", as_json),
        web.post(owner + "/links", make_link),
        web.post(owner + "/block", _state_setter("blocked")),
        web.post(owner + "/unblock", _state_setter("active")),
        web.post(owner + "/finish", finish),
        web.get(owner + "/table/{name:[a-z.]{1,20}}", download),
    ]
