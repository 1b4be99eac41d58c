"""`adc review FOLDER serve`: answer until Ctrl-C, and write the votes down now and then."""

import asyncio
import ipaddress
import json
import os
import sys
import webbrowser
from functools import partial

from filelock import FileLock, Timeout

from adc_core import InputError, WorkError
from adc_plugins_review.campaign.dealing import set_finished
from adc_plugins_review.campaign.export import write_tables
from adc_plugins_review.campaign.plan import REVIEW, ReviewPlan
from adc_plugins_review.campaign.progress import parts
from adc_plugins_review.campaign.raters import add_rater, owner_token, raters, token_of
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.server import Address, running, until_signal

EVERY = 60.0
"""Seconds between two writings of the votes."""


def serve_review(
    source: Source,
    plan: ReviewPlan,
    address: Address,
    *,
    workers: int,
    browser: bool,
    until: float | None = None,
) -> None:
    """Serve the pages until a signal comes.

    Args:
        source: the samples under review.
        plan: what is shown.
        address: where to answer.
        workers: how many links there are to be.
        browser: open the owner's page.
        until: deal no more images once the certificate is at or under this share.

    Raises:
        InputError: the address cannot be used, or other machines would reach it unnamed.
        WorkError: another process serves the review, or the disk refuses.
    """
    if until is not None and plan.look != "any":
        raise InputError("--until looks at the certificate at any time: plan with --look any")
    if not _is_loopback(address.host):
        if address.public_url is None:
            raise InputError(
                f"--host {address.host} is reached by other machines: say with --public-url how"
            )
        print(
            "adc: links and images travel in clear text unless a proxy before this server adds TLS",
            file=sys.stderr,
        )
    lock = FileLock(source.folder / REVIEW / ".lock")
    try:
        with lock.acquire(timeout=0):
            asyncio.run(_serve(source, plan, address, workers, browser, until))
    except Timeout:
        raise WorkError(
            f"another process serves {source.folder / REVIEW}: end it, or use its links"
        ) from None


async def _serve(
    source: Source,
    plan: ReviewPlan,
    address: Address,
    workers: int,
    browser: bool,
    until: float | None,
) -> None:
    desk = Desk(source, plan, address.public_url or "")

    try:
        async with running(desk, address) as port:
            if not desk.public_url:
                desk.public_url = f"http://{address.host}:{port}"
            await desk.write(_enough_raters, workers)
            owner = f"{desk.public_url}/o/{await desk.read(owner_token)}"
            print(f"owner: {owner}")
            for name, token in await desk.read(links_of):
                print(f"{name}: {desk.public_url}/w/{token}")
            print("Ctrl-C stops; nothing is lost", flush=True)
            if browser and (os.environ.get("DISPLAY") or sys.platform == "darwin"):
                webbrowser.open(owner)
            await until_signal(partial(note, desk, until), EVERY)
        await desk.read(write_tables)
    finally:
        desk.close()


async def note(desk: Desk, until: float | None = None) -> None:
    """Write the votes down; and see what they certify, where that may be looked at.

    Args:
        desk: the review.
        until: deal no more images once the bound is at or under this share.
    """
    await desk.read(write_tables)
    done = await desk.read(lambda store: all(one.decided == one.items for one in parts(store)))
    if not desk.plan.audit or not (done or desk.plan.look == "any"):
        return
    # A process of its own: reading a large run would hold up the pages for seconds.
    words = (sys.executable, "-m", "adc_core.cli", "certify", str(desk.source.folder))
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate()
    desk.certificate = said.decode() if process.returncode == 0 else ""
    if until is not None and desk.certificate:
        written = (desk.review / "certificate.json").read_text(encoding="utf-8")
        if json.loads(written)["bound"]["rate_upper"] <= until:
            await desk.write(set_finished, True)


def links_of(store: Store) -> list[tuple[str, str]]:
    """List the names and tokens of all whose link is valid."""
    return [
        (rater.name or rater.pseudonym, token_of(store, rater.id))
        for rater in raters(store)
        if rater.linked
    ]


def _enough_raters(store: Store, least: int) -> None:
    for _ in range(least - len(raters(store))):
        add_rater(store)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
