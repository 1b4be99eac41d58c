"""The report in a real browser: no errors, readable at two widths, text for every picture."""

import json

import pytest
from playwright.sync_api import sync_playwright

from adc_core.conformance.toys import toy_findings, toy_run
from adc_core.findings import CHANGES, Curation
from adc_core.report.page import render
from adc_core.run import Measurement

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run with everything in it, and a class whose name is an attack."""
    folder = tmp_path_factory.mktemp("run")
    run = toy_run()
    dataset = run.collected.replace(classes=("red", "<script>alert(1)", "blue"))
    row = int(toy_findings().flagged.argmax())
    change = (dataset.ids[row], "drop", dataset.labels[row], -1, "9 of 9 neighbours say blue")
    changes = CHANGES.empty_table().from_pylist(
        [dict(zip(CHANGES.names, change, strict=True))], CHANGES
    )
    figures = {"accuracy": 0.9, "worst-class accuracy": 0.7}
    run = run.replace(
        collected=dataset,
        trainings=(),
        curations={"toy": Curation.apply(dataset, changes)},
        test=None,
        measurements=tuple(
            Measurement(metric=metric, subject="toy on raw", value=value, better="higher")
            for metric, value in figures.items()
        ),
    )
    (folder / "pipeline.yaml").write_text("dataset: d\n")
    record = {
        "started": "2026-01-01",
        "stages": {"encoder": {"seconds": 1.0, "fingerprint": "0" * 64, "reused": False}},
        "packages": {"adc-core": "0.1.0", "numpy": "2"},
        "machine": {"python": "3.11", "platform": "Linux", "cpus": 2},
    }
    (folder / "run.json").write_text(json.dumps(record))
    page = folder / "report.html"
    page.write_text(render(folder, run))
    return page


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_it_is_clean_and_fits(report, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    problems, requests = [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())
    assert problems == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than the window"
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('p, td, th, li, pre')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 12
    page.close()


def test_pictures_have_text_and_nothing_is_executed(report, browser):
    page = browser.new_page()
    page.goto(report.as_uri())
    assert page.locator("img").count() > 0
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("svg").count() >= 3
    assert page.locator("svg").count() == page.locator("[role=img][aria-label] svg").count()
    assert page.locator("script").count() == 0
    assert "<script>alert(1)" in page.locator("body").inner_text()
    assert "dropped by toy: 9 of 9 neighbours say blue" in page.locator("body").inner_text()
    assert page.locator("html").get_attribute("lang") == "en"
    page.close()
