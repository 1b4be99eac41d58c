"""The page of a comparison, in a real browser."""

import pytest

from adc_plugins_compare import Cell, Comparison, Figure, Outcome, caption, tables_of
from adc_plugins_compare.page.page import render

METHODS = ("cross-entropy", "$focal$ <b>", "a method whose name is long")


@pytest.fixture(scope="module")
def page():
    """Give the page of three methods at three ratios, measured at four distances; one failed."""
    comparison = Comparison(
        axes={
            "method": {name.replace("<b>", "b"): {} for name in METHODS},
            "ratio": {ratio: {} for ratio in ("10", "50", "100")},
        },
        table={"columns": ["ratio"]},
    )
    cells, outcomes = [], []
    for seed in comparison.seeds:
        for place, method in enumerate(METHODS):
            for ratio in ("10", "50", "100"):
                cells.append(Cell({"method": method, "ratio": ratio}, seed, None))
                value = 0.5 + 0.1 * place - 0.001 * int(ratio) + 0.01 * seed * place
                figures = [Figure("macro accuracy", "", value, "higher")]
                figures += [
                    Figure(f"δ-worst accuracy, δ = {delta}", "", value - 0.05 * at, "higher")
                    for at, delta in enumerate(("0", "0.5", "1", "∞"))
                ]
                outcomes.append(Outcome(cells[-1].name, 12.5, tuple(figures)))
    outcomes[1] = Outcome(cells[1].name, 2.0, error="ValueError: <script>alert(1)</script>")
    tables = tables_of(comparison, cells, outcomes)
    return render("tails", comparison, cells, tables, caption(3, tables), outcomes)


@pytest.fixture(scope="module", params=[1280, 400])
def shown(request, page, browser, tmp_path_factory):
    """Open the page at two widths; it asks for nothing outside of itself."""
    path = tmp_path_factory.mktemp("page") / "comparison.html"
    path.write_text(page, encoding="utf-8")
    tab = browser.new_page(viewport={"width": request.param, "height": 900})
    tab.asked = []
    tab.on("request", lambda asked: tab.asked.append(asked.url))
    tab.goto(path.as_uri())
    yield tab
    tab.close()


@pytest.mark.browser
def test_it_fits_and_asks_for_nothing(shown):
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.browser
def test_it_shows_tables_curves_and_what_failed(shown):
    titles = shown.locator("h2").all_inner_texts()
    assert titles[0] == "Failed" and titles[-1] == "Cells"
    assert "macro accuracy" in titles and "δ-worst accuracy, δ = ∞" in titles
    # A curve over δ for each ratio, and one over the ratios for each metric.
    assert shown.locator("h3").all_inner_texts() == [
        f"δ-worst accuracy: {ratio}" for ratio in ("10", "50", "100")
    ]
    assert shown.locator("figure svg").count() == 3 + 5
    assert all(shown.locator("figure").nth(n).get_attribute("aria-label") for n in range(8))
    assert "<script>alert(1)</script>" in shown.locator(".failed").inner_text()
    best = shown.locator("section").nth(2).locator("td.best").all_inner_texts()
    assert len(best) >= 3
    assert shown.locator("a", has_text="report").count() == 26


@pytest.mark.browser
def test_links_lead_to_the_cells(shown):
    link = shown.locator("a", has_text="report").first.get_attribute("href")
    assert link == "cells/method%3Dcross-entropy%2Cratio%3D10%2Cseed%3D0/report.html"
