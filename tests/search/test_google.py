import json
import logging
from collections.abc import Callable

import pytest
from aiohttp import web

from adc_core.errors import InputError, WorkError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers.google import GoogleSearcher

QUERY = Query(text="beige sweater", class_name="sweater")
KEY = "AIza-secret-key/1"
ENGINE = "0123secret"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_CSE_ID", ENGINE)


def results(count: int, start: int = 1, following: int | None = None) -> dict[str, object]:
    queries: dict[str, object] = {"request": [{"totalResults": "480", "startIndex": start}]}
    if following:
        queries["nextPage"] = [{"startIndex": following, "count": 10}]
    answer: dict[str, object] = {"kind": "customsearch#search", "queries": queries}
    if count:
        answer["items"] = [
            {
                "title": f"Sweater {place}",
                "link": f"https://shop.example/{place}.jpg",
                "mime": "image/jpeg",
                "image": {
                    "contextLink": f"https://shop.example/p/{place}",
                    "height": 1200,
                    "width": 900,
                },
            }
            for place in range(start, start + count)
        ]
    return answer


def error(code: int, message: str, reason: str, **more: object) -> dict[str, object]:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return {"error": {"code": code, "message": message, "errors": errors, **more}}


def answering(
    site, body: object, status: int = 200, headers: dict[str, str] | None = None
) -> GoogleSearcher:
    def answer() -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    return GoogleSearcher(base_url=site.script("/v1", answer))


def test_asks_as_google_documents(site) -> None:
    seen: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(request.query)
        return web.json_response(results(1))

    url = site.on("/v1", answer)
    GoogleSearcher(base_url=url).page(QUERY)
    plain = {
        "key": KEY,
        "cx": ENGINE,
        "q": "beige sweater",
        "searchType": "image",
        "num": "10",
        "start": "1",
        "safe": "off",
    }
    assert seen == plain
    assert site.headers[0]["User-Agent"].startswith("adc-search/")
    narrow = GoogleSearcher(
        base_url=url,
        rights="cc_publicdomain|cc_attribute",
        safe_search="active",
        image_type="photo",
    )
    narrow.page(QUERY, "31")
    assert seen == plain | {
        "start": "31",
        "safe": "active",
        "rights": "cc_publicdomain|cc_attribute",
        "imgType": "photo",
    }


def test_hits_carry_what_google_says(site) -> None:
    page = answering(site, results(2, start=11, following=21)).page(QUERY, "11")
    assert page.cursor == "21"
    assert [hit.rank for hit in page.hits] == [11, 12]
    hit = page.hits[0]
    assert hit.url == "https://shop.example/11.jpg"
    assert hit.page == "https://shop.example/p/11"
    assert (hit.title, hit.width, hit.height) == ("Sweater 11", 900, 1200)
    assert (hit.engine, hit.license, hit.query) == ("google", None, QUERY)


def test_half_a_character_in_a_title_is_replaced(site) -> None:
    body = results(1)
    body["items"][0]["title"] = "Sweater \ud83e"
    (hit,) = answering(site, body).page(QUERY).hits
    assert hit.title == "Sweater ?"


def test_absent_items_are_the_end(site) -> None:
    assert answering(site, results(0)).page(QUERY) == Page()


def test_the_last_page_has_no_next_page(site) -> None:
    assert answering(site, results(3)).page(QUERY).cursor is None


def test_stops_at_a_hundred_results(site) -> None:
    assert answering(site, results(10, 81, 91)).page(QUERY, "81").cursor == "91"
    assert answering(site, results(10, 91, 101)).page(QUERY, "91").cursor is None


def test_a_start_that_google_refuses_is_the_end(site) -> None:
    body = error(400, "Request contains an invalid argument.", "badRequest")
    assert answering(site, body, 400).page(QUERY, "91") == Page()


def test_a_request_that_google_refuses_at_once_is_the_users(site) -> None:
    body = error(400, "Request contains an invalid argument.", "badRequest")
    with pytest.raises(InputError) as raised:
        answering(site, body, 400).page(QUERY)
    assert str(raised.value) == (
        "google answered 400: Request contains an invalid argument.; "
        "check GOOGLE_CSE_ID and GOOGLE_API_KEY"
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            400,
            error(
                400,
                f"API key not valid: {KEY}",
                "badRequest",
                details=[{"reason": "API_KEY_INVALID"}],
            ),
        ),
        (403, error(403, f"API key not valid: {KEY}", "forbidden")),
    ],
)
def test_a_refused_key_names_its_variable_and_not_itself(site, status: int, body: object) -> None:
    with pytest.raises(InputError) as raised:
        answering(site, body, status).page(QUERY, "11")
    assert str(raised.value) == (
        f"google answered {status}: API key not valid: …; check GOOGLE_API_KEY"
    )


@pytest.mark.parametrize("variable", ["GOOGLE_API_KEY", "GOOGLE_CSE_ID"])
def test_a_missing_key_names_its_variable(
    site, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, " ")
    with pytest.raises(InputError) as raised:
        answering(site, results(1)).page(QUERY)
    assert str(raised.value) == f"{variable} is not set: google needs it; export {variable}=…"
    assert site.paths == []


PER_MINUTE = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of …"
PER_DAY = "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of …"


def test_a_full_minute_parks_for_as_long_as_google_asks(site) -> None:
    body = error(429, PER_MINUTE, "rateLimitExceeded", status="RESOURCE_EXHAUSTED")
    page = answering(site, body, 429, {"Retry-After": "7"}).page(QUERY, "21")
    assert page == Page(cursor="21", retry_after=7)
    assert answering(site, body, 429).page(QUERY).retry_after == 60
    assert site.paths == ["/v1", "/v1"]  # no hidden retry


def test_a_full_minute_may_also_come_as_403(site) -> None:
    body = error(403, "User Rate Limit Exceeded", "userRateLimitExceeded")
    assert answering(site, body, 403).page(QUERY).retry_after == 60


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, error(403, "Daily Limit Exceeded", "dailyLimitExceeded")),
        (429, error(429, PER_DAY, "rateLimitExceeded", status="RESOURCE_EXHAUSTED")),
    ],
)
def test_a_used_up_day_parks_until_eight_utc(
    site, monkeypatch: pytest.MonkeyPatch, status: int, body: object
) -> None:
    noon = 1_763_726_400.0  # 2025-11-21 12:00 UTC
    monkeypatch.setattr("adc_plugins_search.searchers.google.time", lambda: noon)
    page = answering(site, body, status).page(QUERY, "41")
    assert page == Page(cursor="41", retry_after=20 * 3600)


def test_passing_server_errors_are_retried(site) -> None:
    url = site.script(
        "/v1", lambda: web.Response(status=503), lambda: web.json_response(results(1))
    )
    assert len(GoogleSearcher(base_url=url).page(QUERY).hits) == 1
    assert len(site.paths) == 2


def test_lasting_server_errors_are_told_in_one_line(site) -> None:
    searcher = answering(site, error(500, "Internal\n error", "backendError"), 500)
    with pytest.raises(WorkError) as raised:
        searcher.page(QUERY)
    assert str(raised.value) == (
        "google answered 500: Internal error; try again later, or check base_url"
    )
    assert len(site.paths) == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"queries": {}, "items": [{"title": "x"}]},
            "google answered without a usable items.0.link: Field required",
        ),
        (
            [1],
            "google answered with something that is no JSON object: check base_url",
        ),
    ],
)
def test_nonsense_is_told_in_one_line(site, body: object, message: str) -> None:
    with pytest.raises(WorkError) as raised:
        answering(site, body).page(QUERY)
    assert str(raised.value) == message


def test_a_page_of_html_is_no_error_page_of_google(site) -> None:
    url = site.serve("/v1", b"<html>", "text/html")
    with pytest.raises(WorkError, match="no JSON object"):
        GoogleSearcher(base_url=url).page(QUERY)
    url = site.script("/v1", lambda: web.Response(status=302, headers={"Location": "/other"}))
    with pytest.raises(WorkError, match="google answered 302: no reason given; try again later"):
        GoogleSearcher(base_url=url).page(QUERY)
    assert "/other" not in site.paths  # the key is not carried elsewhere


def test_the_key_is_in_no_log_and_no_message(
    site, unused_port: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    searcher = GoogleSearcher(base_url=f"http://127.0.0.1:{unused_port()}/v1")
    with pytest.raises(WorkError) as raised:
        searcher.page(QUERY)
    answering(site, results(1)).page(QUERY)
    assert str(raised.value).startswith("127.0.0.1:")
    assert "cannot be reached" in str(raised.value)
    assert "beige" in caplog.text  # the addresses were logged,
    told = caplog.text + str(raised.value) + repr(searcher) + json.dumps(searcher.model_dump())
    for secret in (KEY, KEY.replace("/", "%2F"), ENGINE):
        assert secret not in told  # but without the secrets


def test_what_google_says_cannot_reach_the_terminal(site) -> None:
    said = {"error": {"message": "\x1b]0;title\x07 no\nmore " + "x" * 1000}}
    url = site.script("/v1", lambda: web.json_response(said, status=403))
    with pytest.raises(InputError) as raised:
        GoogleSearcher(base_url=url).page(QUERY)
    text = f"]0;title no more {'x' * 1000}"[:300]
    assert str(raised.value) == f"google answered 403: {text}; check GOOGLE_API_KEY"
