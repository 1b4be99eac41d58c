"""Where a searcher's keys go: to their own service, and where the user's environment says."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from adc_core.components.interfaces import Searcher
from adc_core.errors import InputError, lines_of
from adc_core.records.design import Query
from adc_endpoint import check_may_have, is_loopback, is_near
from adc_plugins_search.searchers.bing import BingSearcher
from adc_plugins_search.searchers.brave import BraveSearcher
from adc_plugins_search.searchers.google import SERVICE, GoogleSearcher
from adc_plugins_search.searchers.openverse import OpenverseSearcher
from adc_plugins_search.searchers.searxng import SearxngSearcher
from adc_plugins_search.searchers.wikimedia import WikimediaSearcher

QUERY = Query(text="a cat", class_name="cat")
KEYS = {
    GoogleSearcher: ("google", "GOOGLE_API_KEY"),
    BraveSearcher: ("brave", "BRAVE_API_KEY"),
    BingSearcher: ("bing", "BING_SUBSCRIPTION_KEY"),
    OpenverseSearcher: ("openverse", "OPENVERSE_CLIENT_SECRET"),
}
ALL = (*KEYS, SearxngSearcher, WikimediaSearcher)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_CSE_ID", "OPENVERSE_CLIENT_ID", *(key for _, key in KEYS.values())):
        monkeypatch.setenv(name, "a-key")


@pytest.mark.parametrize("searcher", KEYS)
def test_a_file_cannot_send_a_key_elsewhere(searcher: Callable[..., Searcher]) -> None:
    service, key = KEYS[searcher]
    with pytest.raises(InputError) as raised:
        searcher(base_url="https://evil.example/v1").page(QUERY)
    assert str(raised.value) == (
        f"base_url: evil.example would get the key of {key}: if you trust it, export "
        f"ADC_{service.upper()}_BASE_URL=https://evil.example/v1, else unset {key}"
    )
    with pytest.raises(InputError) as raised:
        searcher(base_url="http://evil.example/v1").page(QUERY)
    assert str(raised.value) == (
        f"base_url: evil.example would get the key of {key} unencrypted: use https, or unset {key}"
    )


def test_a_variable_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADC_GOOGLE_BASE_URL", "https://Proxy.example/")
    check_may_have("https://proxy.example/v1", "K", "google", SERVICE)
    monkeypatch.setenv("ADC_GOOGLE_BASE_URL", "http://192.168.1.5:80/v1")
    check_may_have("http://192.168.1.5:80/v1", "K", "google", SERVICE)
    for other in ("https://proxy.example:8443/v1", "http://proxy.example/v1", "http://10.0.0.1/"):
        with pytest.raises(InputError):
            check_may_have(other, "K", "google", SERVICE)


@pytest.mark.parametrize(
    "address", [SERVICE, "http://127.0.0.1:8765/x", "http://localhost/x", "http://[::1]:9/x"]
)
def test_its_own_service_and_this_machine_may_have_it(address: str) -> None:
    check_may_have(address, "K", "google", SERVICE)


def test_its_own_service_may_not_have_it_unencrypted() -> None:
    with pytest.raises(InputError, match="unencrypted"):
        check_may_have(SERVICE.replace("https", "http"), "K", "google", SERVICE)


@pytest.mark.parametrize("searcher", ALL)
@pytest.mark.parametrize(
    "address",
    [
        "https://me:hunter2@a.example/x",
        "https://hunter2@a.example/x",
        "https://a.example/?k=hunter2",
    ],
)
def test_an_address_holds_no_secret(searcher: Callable[..., Any], address: str) -> None:
    with pytest.raises(ValidationError) as raised:
        searcher(base_url=address)
    assert lines_of(raised.value) == [
        "base_url: must hold no password and no '?': options and keys have places of their own"
    ]
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "loopback", "near"),
    [
        ("127.0.0.1", True, True),
        ("::1", True, True),
        ("localhost", True, True),
        ("a.localhost", True, True),
        ("10.1.2.3", False, True),
        ("nas", False, True),
        ("nas.local", False, True),
        ("8.8.8.8", False, False),
        ("localhost.example", False, False),
    ],
)
def test_what_is_near(host: str, loopback: bool, near: bool) -> None:
    assert (is_loopback(host), is_near(host)) == (loopback, near)
