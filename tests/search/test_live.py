"""One search of each real service, where that is asked for: everything else here is our reading.

The gallery answers as the services' public descriptions say; only these tests can show that the
services agree. They cost a call each, and run with `ADC_LIVE=1` and the service's key set. None of
them has been run so far: see the table in docs/rehearsing.md.
"""

import os

import pytest

from adc_core.records.design import Query
from adc_plugins_search.searchers.bing import BingSearcher
from adc_plugins_search.searchers.brave import BraveSearcher
from adc_plugins_search.searchers.google import GoogleSearcher
from adc_plugins_search.searchers.openverse import OpenverseSearcher
from adc_plugins_search.searchers.searxng import SearxngSearcher
from adc_plugins_search.searchers.wikimedia import WikimediaSearcher

NEEDED = {
    OpenverseSearcher: (),
    WikimediaSearcher: ("ADC_CONTACT",),
    BraveSearcher: ("BRAVE_API_KEY",),
    GoogleSearcher: ("GOOGLE_API_KEY", "GOOGLE_CSE_ID"),
    BingSearcher: ("BING_SUBSCRIPTION_KEY", "ADC_BING_BASE_URL"),
    SearxngSearcher: ("SEARXNG_URL",),
}
"""What the environment must hold beside `ADC_LIVE`."""

SWEATER = Query(text="wool sweater", class_name="sweater")


@pytest.mark.live
@pytest.mark.parametrize("searcher", NEEDED, ids=lambda kind: kind.__name__)
def test_the_service_answers_as_the_gallery_does(searcher):
    missing = [name for name in ("ADC_LIVE", *NEEDED[searcher]) if not os.environ.get(name)]
    if missing:
        pytest.skip(f"not verified against the service: set {', '.join(missing)}")
    given = {
        WikimediaSearcher: ("contact", "ADC_CONTACT"),
        BingSearcher: ("base_url", "ADC_BING_BASE_URL"),
        SearxngSearcher: ("base_url", "SEARXNG_URL"),
    }
    option, variable = given.get(searcher, (None, None))
    page = searcher(**({option: os.environ[variable]} if option else {})).page(SWEATER)
    assert page.retry_after is None
    assert page.hits, "a common query found nothing"
    for hit in page.hits:
        assert hit.url.startswith(("http://", "https://"))
        assert hit.query == SWEATER
        if searcher in (OpenverseSearcher, WikimediaSearcher):
            assert hit.license
