"""The report in a real browser: no errors, readable at two widths, text for every image."""

import json

import pytest

from adc_core.records.curation import CHANGES, Curation
from adc_core.records.run import Measurement
from adc_core.testing.toys import toy_findings, toy_run
from adc_plugins_publish.html_report.page import render

pytestmark = pytest.mark.browser


def write_page(folder, run):
    (folder / "pipeline.yaml").write_text("dataset: d\n")
    record = {
        "started": "2026-01-01",
        "format": 1,
        "source": "dataset toys",
        "pipeline": {},
        "seeds": {},
        "stages": {"encoder": {"seconds": 1.0, "fingerprint": "0" * 64, "reused": False}},
        "packages": {"adc-core": "0.1.0", "numpy": "2"},
        "machine": {"python": "3.11", "platform": "Linux", "cpus": 2},
    }
    (folder / "run.json").write_text(json.dumps(record))
    page = folder / "report.html"
    page.write_text(render(folder, run))
    return page


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run with everything in it, and a class whose name is an attack."""
    folder = tmp_path_factory.mktemp("run")
    run = toy_run()
    dataset = run.collected.replace(classes=("red", "<script>alert(1)", "blue"))
    row = int(toy_findings().flagged.argmax())
    change = (dataset.ids[row], "drop", dataset.labels[row], -1, "9 of 9 neighbors say blue")
    changes = CHANGES.empty_table().from_pylist(
        [dict(zip(CHANGES.names, change, strict=True))], CHANGES
    )
    figures = {"accuracy": 0.9, "worst-class accuracy": 0.7}
    run = run.replace(
        collected=dataset,
        trainings=(),
        curations={"toy": Curation.apply(dataset, changes, ("2 of 3 filters agree",))},
        test=None,
        measurements=tuple(
            Measurement(metric=metric, subject="toy on raw", value=value, better="higher")
            for metric, value in figures.items()
        ),
    )
    return write_page(folder, run)


@pytest.fixture(scope="module")
def arrays_report(tmp_path_factory):
    """The page of a run on arrays: no images."""
    run = toy_run()
    return write_page(
        tmp_path_factory.mktemp("arrays"),
        run.replace(collected=run.collected.replace(images=None), trainings=(), test=None),
    )


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["report", "arrays_report"])
def test_it_is_clean_and_fits(name, browser, width, request):
    report = request.getfixturevalue(name)
    page = browser.new_page(viewport={"width": width, "height": 900})
    problems, requests = [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: requests.append(asked.url))
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


def test_images_have_text_and_nothing_is_executed(report, browser):
    page = browser.new_page()
    page.goto(report.as_uri())
    assert page.locator("img").count() > 0
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("svg").count() >= 3
    assert page.locator("svg").count() == page.locator("[role=img][aria-label] svg").count()
    assert page.locator("script").count() == 0
    assert "<script>alert(1)" in page.locator("body").inner_text()
    assert "dropped by toy: 9 of 9 neighbors say blue" in page.locator("body").inner_text()
    assert "2 of 3 filters agree" in page.locator("body").inner_text()
    assert page.locator("html").get_attribute("lang") == "en"
    page.close()


def test_a_suspect_shows_why(report, browser):
    page = browser.new_page()
    page.goto(report.as_uri())
    suspects = page.locator("li.suspect")
    assert 0 < suspects.count() <= 30
    first = suspects.first
    nearest = first.locator(".near img")
    assert nearest.count() == 5
    assert nearest.first.evaluate("e => [e.naturalWidth, e.naturalHeight]") == [48, 48]
    assert nearest.first.get_attribute("alt").startswith("Neighbor toy-")
    text = first.inner_text()
    assert "of 30 neighbors have another label" in text
    assert "predicted: " in text and "margin −" in text
    curve = first.locator("[role=img]").get_attribute("aria-label")
    assert curve.startswith("Curve: probability of the given label over 8 epochs, from ")
    assert report.stat().st_size < 1_000_000
    page.close()


def test_arrays_have_a_table_with_the_same_reasons(arrays_report, browser):
    page = browser.new_page(viewport={"width": 400, "height": 900})
    page.goto(arrays_report.as_uri())
    assert page.locator("img").count() == 0
    assert page.get_by_role("heading", name="Most suspicious samples").count() == 1
    rows = page.locator("table.samples").get_by_role("row")
    assert 1 < rows.count() <= 31
    text = rows.last.inner_text()
    assert "of 30 neighbors have another label" in text
    assert "predicted: " in text
    assert rows.last.locator(".near li").count() == 5
    assert rows.last.locator("[role=img] svg").count() == 1
    page.close()


def test_evidence_that_is_not_there_is_not_spoken_of(tmp_path, browser):
    run = toy_run()
    bare = run.collected.replace(neighbors=None, probabilities=None, dynamics=None)
    page = browser.new_page()
    page.goto(write_page(tmp_path, run.replace(collected=bare, trainings=())).as_uri())
    suspects = page.locator("li.suspect")
    assert suspects.count() > 0
    assert page.locator(".near, .curve").count() == 0
    assert "predicted" not in suspects.first.inner_text()
    page.close()
