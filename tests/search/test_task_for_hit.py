"""What is fetched for a hit, and which hits are refused before anybody is asked."""

from pathlib import Path

import pytest

from adc_core.records.design import Hit, Query
from adc_plugins_search.download.fetch_task import FetchTask
from adc_plugins_search.download.outcomes import Reason, Refused
from adc_plugins_search.download.searches.run_queries import SearchHit
from adc_plugins_search.download.searches.task_for_hit import id_of, task_for
from adc_plugins_search.download.web_address import parse_url
from adc_plugins_search.searchers.folder import FolderSearcher
from adc_plugins_search.searchers.google import GoogleSearcher


def found(url: str, license: str | None = None) -> SearchHit:
    query = Query(text="a cat", class_name="cat")
    hit = Hit(url=url, query=query, engine="google", rank=1, license=license)
    return SearchHit(hit, GoogleSearcher())


def test_one_address_is_one_errand_however_it_is_written() -> None:
    task = task_for(found("https://a.example/1"))
    assert task == task_for(found("HTTPS://A.example:443/1#top"))
    assert task == FetchTask("https://a.example/1", id_of("https://a.example/1"))
    assert len(id_of("https://a.example/1")) == 20


@pytest.mark.parametrize(
    ("license", "detail"), [("CC-BY-NC-4.0", "CC-BY-NC-4.0"), (None, "none is known")]
)
def test_what_no_allowed_license_covers_is_not_fetched(license: str | None, detail: str) -> None:
    hit = found("https://a.example/1", license)
    assert task_for(hit, ("by", "cc0")) == Refused(Reason.LICENSE, detail)
    assert isinstance(task_for(found("https://a.example/1", "CC-BY-4.0"), ("by",)), FetchTask)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Shop.Example:80/", "http://shop.example/"),
        ("https://shop.example:443/A.jpg#top", "https://shop.example/A.jpg"),
        ("https://shop.example/a b.jpg?w=1&h=2", "https://shop.example/a%20b.jpg?w=1&h=2"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://shop.example:8443/x/../y", "https://shop.example:8443/y"),
    ],
)
def test_canonical_addresses(url: str, expected: str) -> None:
    assert str(parse_url(url)) == expected


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("file:///etc/passwd", "not an http or https address"),
        ("data:image/png;base64,AAAA", "not an http or https address"),
        ("/relative.jpg", "not an http or https address"),
        ("https:///nowhere", "not an http or https address"),
    ],
)
def test_web_searchers_may_only_name_web_addresses(url: str, detail: str) -> None:
    assert task_for(found(url)) == Refused(Reason.FORBIDDEN, detail)


@pytest.mark.parametrize("url", ["http://[::1", "http://[::1]@/x.jpg", "http://[65536:;]/x"])
def test_an_address_that_is_none(url: str) -> None:
    refused = task_for(found(url))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.FORBIDDEN
    assert refused.detail.startswith("no address: ")


def test_a_folder_searcher_may_only_name_files(tmp_path: Path) -> None:
    searcher = FolderSearcher(root=tmp_path)
    hit = found("https://a.example/1").hit
    assert task_for(SearchHit(hit, searcher)) == Refused(Reason.FORBIDDEN, "not a file address")
    task = task_for(SearchHit(hit.replace(url="file:///x.jpg"), searcher))
    assert isinstance(task, FetchTask)
    assert task.root == tmp_path
