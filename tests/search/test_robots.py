"""robots.txt: what its rules mean, and when a host has none or cannot say."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego
from yarl import URL

from adc_plugins_search.download.http.robots import Robots, RobotsCache, check_allowed, parse_robots
from adc_plugins_search.download.outcomes import Reason, RefusedError, TransientError

TEXT = b"""\xef\xbb\xbfUser-agent: *
Disallow: /private/
Allow: /private/open.jpg
Disallow: /*.gif$
Crawl-delay: 3

User-agent: GPTBot
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/a.jpg", True),
        ("/private/a.jpg", False),
        ("/private/open.jpg", True),
        ("/a.gif", False),
        ("/a.gif?b", True),
        ("/", True),
    ],
)
def test_rules_for_everybody(path: str, allowed: bool) -> None:
    assert parse_robots(200, TEXT).allow(URL("http://a.example" + path)) is allowed


def test_rules_of_its_own_come_first() -> None:
    robots = Robots("User-agent: *\nDisallow: /\n\nUser-agent: ADC-Search\nDisallow: /x\n")
    assert robots.allow(URL("http://a.example/y"))
    assert not robots.allow(URL("http://a.example/x"))


AGENT_FIELDS = (
    "User-agent:",
    "useragent :",
    "USER AGENT:",
    "User  agent ",
    "user-agent",
    "user agent ",
)
AGENTS = ("*", "adc-search", "ADC", "a", "adc*", "**", "", "other", "adc-searcher", "x: y", "x:y")
RULES = (
    *("Disallow: /", "Allow: /x", "disallow /x/y", "Disallow:", "Crawl-delay: 3", "Crawl delay: 7"),
    *("Sitemap: http://a.example/s", "", "# nothing", "Noindex: /", "strange", "User-agent"),
)
LINES = st.one_of(
    st.tuples(st.sampled_from(AGENT_FIELDS), st.sampled_from(AGENTS), st.sampled_from(("", " # x")))
    .map("".join)
    .map(str.strip),
    st.sampled_from(RULES),
)


@given(st.lists(LINES, max_size=14).map("\n".join))
def test_leaving_out_other_agents_changes_no_answer(text: str) -> None:
    whole, robots = Protego.parse(text), Robots(text)
    for path in ("/", "/x", "/x/y"):
        address = f"http://a.example{path}"
        assert robots.allow(URL(address)) == whole.can_fetch(address, "adc-search")
    assert robots.delay == (whole.crawl_delay("adc-search") or 0.0)


def test_agents_times_rules_cost_no_more_than_their_sum() -> None:
    agents = "\n".join(f"User-agent: bot{number}" for number in range(15_000))
    rules = "\n".join(f"Disallow: /{number:x}" for number in range(15_000))
    started = time.process_time()
    robots = parse_robots(200, f"{agents}\n{rules}\nUser-agent: *\nDisallow: /no\n".encode())
    assert time.process_time() - started < 20  # a guard against minutes
    assert robots.allow(URL("http://a.example/1"))
    assert not robots.allow(URL("http://a.example/no"))


def test_wildcards_are_matched_in_time() -> None:
    """As Protego does since version 0.6; regular expressions took minutes."""
    rules = "\n".join(f"Disallow: /*a*b*c*d${number}" for number in range(10_000))
    robots = parse_robots(200, f"User-agent: *\n{rules}\n".encode())
    started = time.process_time()
    assert robots.allow(URL("http://a.example/" + "abc" * 1000))
    assert time.process_time() - started < 20


def test_what_is_no_robots_txt_excludes_nothing() -> None:
    for body in (b"", b"<!doctype html><p>Log in", b"\xff\x00\xfe" * 99):
        assert parse_robots(200, body).allow(URL("http://a.example/x"))


def test_delays() -> None:
    assert parse_robots(200, TEXT).delay == 3.0
    assert Robots("User-agent: *\nCrawl-delay: 99999").delay == 60.0
    assert Robots("").delay == 0.0


@pytest.mark.parametrize("status", [200, 203, 206])
def test_every_success_brings_rules(status: int) -> None:
    assert not parse_robots(status, b"User-agent: *\nDisallow: /").allow(URL("http://a.example/x"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_without_rules_everything_is_allowed(status: int) -> None:
    assert parse_robots(status, b"User-agent: *\nDisallow: /").allow(URL("http://a.example/x"))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_host_that_cannot_say_is_not_asked_for_now(status: int) -> None:
    with pytest.raises(TransientError) as raised:
        parse_robots(status, b"")
    assert raised.value.refused.reason is Reason.ROBOTS
    assert str(raised.value) == f"robots.txt cannot be read now: HTTP {status}"


def test_exclusion_is_a_refusal() -> None:
    with pytest.raises(RefusedError) as raised:
        check_allowed(parse_robots(200, TEXT), URL("http://a.example/private/a.jpg"))
    assert raised.value.refused.reason is Reason.ROBOTS
    assert str(raised.value) == "robots.txt excludes it"


def test_each_host_is_asked_once_however_many_wait() -> None:
    asked: list[str] = []

    async def fetch(address: URL) -> tuple[int, bytes]:
        asked.append(str(address))
        await asyncio.sleep(0.01)
        return 200, TEXT

    async def run() -> None:
        robots = RobotsCache(fetch)
        pages = [
            f"{origin}/{n}"
            for n in range(9)
            for origin in ("http://a.example", "http://a.example:81", "https://a.example")
        ]
        await asyncio.gather(*(robots.of(URL(page)) for page in pages))

    asyncio.run(run())
    assert sorted(asked) == [
        "http://a.example/robots.txt",
        "http://a.example:81/robots.txt",
        "https://a.example/robots.txt",
    ]


def test_a_host_that_could_not_say_is_asked_again_later() -> None:
    answers = [500, 404]

    async def fetch(_: URL) -> tuple[int, bytes]:
        return answers.pop(0), b""

    async def run() -> None:
        robots = RobotsCache(fetch)
        for _ in range(3):
            with pytest.raises(TransientError):
                await robots.of(URL("http://a.example/x"))
        await asyncio.sleep(1.1)
        assert (await robots.of(URL("http://a.example/x"))).allow(URL("http://a.example/x"))

    asyncio.run(run())
    assert not answers
