"""`adc review FOLDER serve`: answer until Ctrl-C, and write the votes down now and then."""

import asyncio
import ipaddress
import os
import sys
import webbrowser
from functools import partial

from filelock import FileLock, Timeout

from adc_core import InputError, WorkError
from adc_plugins_review.campaign.export import write_tables
from adc_plugins_review.campaign.plan import REVIEW, Plan
from adc_plugins_review.campaign.progress import parts
from adc_plugins_review.campaign.raters import add_rater, owner_token, raters, token_of
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.server import Address, running, until_signal

EVERY = 60.0
"""Seconds between two writings of the votes."""


def serve_review(
    source: Source, plan: Plan, address: Address, *, workers: int, browser: bool
) -> None:
    """Serve the pages until a signal comes.

    Raises:
        InputError: the address cannot be used, or other machines would reach it unnamed.
        WorkError: another process serves the review, or the disk refuses.
    """
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
            asyncio.run(_serve(source, plan, address, workers, browser))
    except Timeout:
        raise WorkError(
            f"another process serves {source.folder / REVIEW}: end it, or use its links"
        ) from None


async def _serve(source: Source, plan: Plan, address: Address, workers: int, browser: bool) -> None:
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
            await until_signal(partial(_tick, desk), EVERY)
        await desk.read(write_tables)
    finally:
        desk.close()


async def _tick(desk: Desk) -> None:
    """Write the votes down; and see what they certify, where that may be looked at."""
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
