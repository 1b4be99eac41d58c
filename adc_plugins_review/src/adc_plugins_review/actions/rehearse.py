"""`adc review FOLDER rehearse`: simulated people vote over HTTP, through the pages' own addresses.

It shows what a finished review looks like, and runs the whole way from the plan to the votes in a
test. The truth of the samples, which a run with simulated noise or a truth file has, is what the
simulated people see in an image.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import numpy as np

from adc_core import InputError
from adc_core.arrays import Array
from adc_plugins_review.campaign.dealing import PLACES
from adc_plugins_review.campaign.export import write_tables
from adc_plugins_review.campaign.plan import ReviewPlan
from adc_plugins_review.campaign.raters import add_rater, token_of
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.server import Address, running

REHEARSED = "rehearsed"
"""Fact about a review whose votes are simulated."""

_HEADERS = {"X-ADC-Review": "1", "Content-Type": "application/json"}

Answers = Callable[[bool], str]
"""What a person says, given whether the label is right."""


@dataclass(frozen=True)
class People:
    """Who votes.

    Attributes:
        people: how many look at the images.
        error: share of their answers that are wrong.
        lazy: how many always say yes.
        random: how many answer by chance.
        seed: of the answers.
    """

    people: int = 3
    error: float = 0.05
    lazy: int = 0
    random: int = 0
    seed: int = 0


def rehearse(source: Source, plan: ReviewPlan, people: People) -> None:
    """Let simulated people do all that is left of a review.

    Raises:
        InputError: the truth is not known, or people have voted already.
    """
    if source.truth is None:
        raise InputError(
            f"the truth about {source.folder} is not known: rehearse on a run with simulated "
            "noise or a truth file"
        )
    asyncio.run(_rehearse(source, plan, people, source.truth))


async def _rehearse(source: Source, plan: ReviewPlan, people: People, truth: Array) -> None:
    desk = Desk(source, plan, "")
    kinds = ["honest"] * people.people + ["lazy"] * people.lazy + ["random"] * people.random
    try:
        tokens = await desk.write(_begin, kinds)
        async with (
            running(desk, Address(port=0)) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=_HEADERS) as session,
            asyncio.TaskGroup() as group,
        ):
            for number, (kind, token) in enumerate(zip(kinds, tokens, strict=True)):
                drawn = np.random.default_rng([people.seed, number])
                says = partial(_says, kind, people.error, drawn)
                person = _Person(session, f"/w/{token}", desk, truth, says)
                group.create_task(person.vote())
                group.create_task(person.select())
        await desk.read(write_tables)
    finally:
        desk.close()


def _begin(store: Store, kinds: list[str]) -> list[str]:
    votes = store.db.execute("SELECT count(*) FROM event").fetchone()[0]
    if votes and store.meta(REHEARSED) is None:
        raise InputError(
            f"{store.path.parent} has {votes:,} answers of people: rehearse on a copy of the run, "
            "or after `plan --again`"
        )
    with store.transaction():
        store.set_meta(REHEARSED, "1")
    return [token_of(store, add_rater(store, f"simulated, {kind}").id) for kind in kinds]


def _says(kind: str, error: float, drawn: np.random.Generator, right: bool) -> str:
    if kind == "lazy":
        return "yes"
    if kind == "random":
        return str(drawn.choice(["yes", "unsure", "no"]))
    if drawn.random() < error:
        right = not right
    return "yes" if right else "no"


@dataclass
class _Person:
    session: aiohttp.ClientSession
    link: str
    desk: Desk
    truth: Array
    says: Answers

    async def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send as the page does: again, where the server asks for patience."""
        if what in ("vote", "select"):
            body = {"key": secrets.token_hex(16), **body}
        while True:
            async with self.session.post(f"{self.link}/{what}", json=body) as answer:
                content: dict[str, Any] = await answer.json()
                if answer.status in (429, 503):
                    await asyncio.sleep(0.2)
                    continue
                return content if answer.status == 200 else {}

    async def vote(self) -> None:
        while batch := (await self._post("batch", {"task": "vote"})).get("batch"):
            for n, right in await self.desk.read(_seen, batch, self.truth):
                body = {
                    "key": secrets.token_hex(16),
                    "n": n,
                    "answer": self.says(right),
                    "ms": 2000,
                }
                await self._post("vote", body)
            await self._post("submit", {"batch": batch})

    async def select(self) -> None:
        least = self.desk.plan.select_min
        while batch := (await self._post("batch", {"task": "select"})).get("batch"):
            grids = await self.desk.read(_grids, batch)
            seen = dict(await self.desk.read(_seen, batch, self.truth))
            for grid, places in grids.items():
                chosen = [n % PLACES for n in places if self.says(seen[n]) == "yes"]
                picked = {"grid": grid, "chosen": chosen, "fewer": len(chosen) < least}
                await self._post("select", {"batch": batch, **picked, "ms": 20_000})
            await self._post("submit", {"batch": batch})


def _seen(store: Store, batch: int, truth: Array) -> list[tuple[int, bool]]:
    """Return the images of a batch, and whether each shows what is asked."""
    rows = store.db.execute(
        "SELECT position, row, label FROM place JOIN item ON item.id = item WHERE batch = ? "
        "ORDER BY position",
        (batch,),
    )
    return [(batch * PLACES + position, bool(truth[row] == label)) for position, row, label in rows]


def _grids(store: Store, batch: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for position, grid in store.db.execute(
        "SELECT position, item.place FROM place JOIN item ON item.id = item WHERE batch = ?",
        (batch,),
    ):
        found.setdefault(grid, []).append(batch * PLACES + position)
    return found
