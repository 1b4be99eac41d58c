"""No page breaks a rule of WCAG 2.2 A or AA that axe-core knows, light or dark, large or small."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"phone": (390, 844), "desktop": (1440, 900), "narrow": (320, 640)}


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    return Path(package.__file__).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def reviewed(make_review, serving):
    """A review in which somebody has worked."""
    review = make_review(budget=150, votes="3", tasks=("vote", "select"), select_per_task=10,
                         show_attributes=True)  # fmt: skip
    with serving(review, workers=3) as served:
        for worker in range(3):
            batch = served.deal(worker)
            for item in batch["items"]:
                vote = {"n": item["n"], "answer": "no", "ms": 900}
                served.post(f"{served.workers[worker]}/vote", vote)
            served.post(f"{served.workers[worker]}/submit", {"batch": batch["batch"]})
        yield served


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_is_broken(reviewed, axe, browser, scheme):
    link, owner = reviewed.workers[0], reviewed.owner
    pages = {"start": link, "vote": f"{link}/vote", "select": f"{link}/select", "owner": owner,
             "relabel": f"{owner}/relabel", "duplicates": f"{owner}/duplicates",
             "nothing": "/"}  # fmt: skip
    broken = []
    for size, (width, height) in SIZES.items():
        if (size, scheme) == ("narrow", "dark"):
            continue  # as wide as a light one
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme,
            reduced_motion="reduce",
        )  # fmt: skip
        page = context.new_page()
        for name, path in pages.items():
            page.goto(reviewed.url + path)
            if name == "vote":
                page.locator("#help").click()
            if size == "narrow":
                wide = page.evaluate("document.documentElement.scrollWidth")
                broken += [f"{name} is {wide} pixels wide"] if wide > width else []
                continue
            page.evaluate(axe)
            found = page.evaluate(
                "rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES
            )
            broken += [
                f"{name}, {size}: {one['id']}: {node['html'][:150]}"
                for one in found["violations"]
                for node in one["nodes"]
            ]
        context.close()
    assert not broken


def test_what_can_be_pressed_is_large_enough(reviewed, browser):
    link, owner = reviewed.workers[0], reviewed.owner
    small = []
    page = browser.new_page(viewport={"width": 390, "height": 844})
    for path in (link, f"{link}/vote", f"{link}/select", owner, f"{owner}/relabel",
                 f"{owner}/duplicates"):  # fmt: skip
        page.goto(reviewed.url + path)
        for one in page.locator("button, a.button, summary, select, [type=text]").all():
            box = one.bounding_box()
            if one.is_visible() and box and min(box["width"], box["height"]) < 43.5:
                small.append((path.rpartition("/")[2], one.text_content(), box))
    page.close()
    assert not small
