"""robots.txt of every host that is asked for images (RFC 9309), fetched once per host.

4xx means that there are no rules; an error of the server, or silence, means "not now".
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protego import Protego
from yarl import URL

from adc_plugins_search.download.http.opt_out import TOKEN
from adc_plugins_search.download.outcomes import Reason, RefusedError, TransientError

MAX_BYTES = 512_000
"""What is read of a robots.txt; RFC 9309 asks for at least 500 KiB."""
MAX_DELAY = 60.0
MAX_HOSTS = 5_000
"""Hosts whose rules are remembered; after that the oldest are asked for again."""
_RETRY_AFTER = 1.0
"""Seconds for which a host that could not say its rules is not asked for them again."""
_AGENT_LINE = re.compile(
    r"(?:user-agent|useragent|user agent)\s*:(?P<after_colon>.*)"
    r"|(?:user-agent|useragent|user\s+agent)\s+(?P<after_space>[^:]*(?::\S.*)?)",
    re.IGNORECASE,
)
"""The spellings that Protego takes for a user-agent line."""
_OTHERS = "others"


class Robots:
    """The rules of one host.

    Args:
        text: the robots.txt; empty where there is none.
    """

    def __init__(self, text: str = "") -> None:
        self._rules = Protego.parse(_rules_for_us(text)) if text else None

    def allow(self, address: URL) -> bool:
        """Tell whether an address may be fetched by this program."""
        return self._rules is None or bool(self._rules.can_fetch(str(address), TOKEN))

    @property
    def delay(self) -> float:
        """Seconds that the host wants between two requests."""
        asked = self._rules.crawl_delay(TOKEN) if self._rules else None
        return min(float(asked or 0), MAX_DELAY)


def _rules_for_us(text: str) -> str:
    """Return the same rules for this program, with one name for all other agents.

    Protego gives every rule to every agent of its group: without this the time and memory of a
    file grow with agents × rules, and half a megabyte takes gigabytes.
    """
    return "\n".join(map(_line_for_us, text.splitlines()))


def _line_for_us(line: str) -> str:
    found = _AGENT_LINE.fullmatch(line.partition("#")[0].strip())
    if found is None:
        return line
    agent = (found["after_colon"] or found["after_space"] or "").strip().lower()
    if agent not in ("", "*"):
        agent = agent.replace("*", "")  # as Protego does
        # It takes any beginning of a name for the name.
        agent = agent if agent and TOKEN.startswith(agent) else _OTHERS
    return f"User-agent: {agent}"


def parse_robots(status: int, body: bytes) -> Robots:
    """Return the rules that an answer means.

    Raises:
        PassingError: the server cannot say now, so nothing may be fetched now.
    """
    if 200 <= status < 300:
        return Robots(body.decode("utf-8-sig", "replace"))
    if 400 <= status < 500 and status != 429:
        return Robots()
    raise TransientError(Reason.ROBOTS, f"robots.txt cannot be read now: HTTP {status}")


Fetch = Callable[[URL], Awaitable[tuple[int, bytes]]]
"""Status and body of an address, redirects followed."""


@dataclass
class _Known:
    """What is known of one host, or becomes known."""

    answer: "asyncio.Task[Robots]"
    asked_at: float

    @property
    def failed(self) -> bool:
        """Whether the host has not said its rules."""
        return self.answer.done() and self.answer.exception() is not None


class RobotsCache:
    """The rules of every host, each asked for once.

    Args:
        fetch: gets an address.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[URL, _Known] = {}

    async def of(self, address: URL) -> Robots:
        """Return the rules of the host of an address.

        Raises:
            PassingError: they cannot be had now.
            RefusedError: the host is not to be had at all.
        """
        origin = address.origin()
        loop = asyncio.get_running_loop()
        known = self._known.get(origin)
        if known is None or (known.failed and loop.time() - known.asked_at > _RETRY_AFTER):
            task = loop.create_task(self._ask(origin))
            task.add_done_callback(_ignore_result)
            self._known.pop(origin, None)
            known = self._known[origin] = _Known(task, loop.time())
            if len(self._known) > MAX_HOSTS:
                del self._known[next(iter(self._known))]
        return await asyncio.shield(known.answer)

    async def _ask(self, origin: URL) -> Robots:
        answer = await self._fetch(origin.with_path("/robots.txt"))
        return await asyncio.to_thread(parse_robots, *answer)  # half a megabyte takes a while


def _ignore_result(task: "asyncio.Task[Robots]") -> None:
    if not task.cancelled():
        task.exception()  # all that wait for it get it too; nobody may


def check_allowed(robots: Robots, address: URL) -> None:
    """Refuse an address that a host's rules exclude.

    Raises:
        RefusedError: they do.
    """
    if not robots.allow(address):
        raise RefusedError(Reason.ROBOTS, "robots.txt excludes it")
