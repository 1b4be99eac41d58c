"""Images that look alike: groups, the page, and what becomes of a decision."""

import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from adc_core import InputError, Neighbors
from adc_core.testing.toys import ROWS, toy_dataset, toy_images
from adc_plugins_review import ApplyVotes, read_votes, votes_of
from adc_plugins_review.actions.export_votes import ExportOptions, export_review
from adc_plugins_review.actions.import_votes import import_votes
from adc_plugins_review.campaign.duplicates import DuplicateGroups, decided_copies
from adc_plugins_review.campaign.export import counted_votes, events
from adc_plugins_review.campaign.progress import picked_rows
from adc_plugins_review.campaign.raters import add_rater
from adc_plugins_review.campaign.source import Source

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def alike(*groups):
    """Neighbors of the toys of which those of a group, and no others, look alike."""
    indices = (np.arange(ROWS)[:, None] + np.arange(1, 3)) % ROWS
    similarities = np.full((ROWS, 2), 0.5, np.float32)
    for group in groups:
        for one, other in pairwise(group):  # a chain: not each with each
            indices[one, 0], similarities[one, 0] = other, 0.96
    return Neighbors(indices=indices, similarities=similarities)


class Pictures(type(toy_images())):
    """The toys' images, of which number 4 is larger than the others."""

    def small(self, row, side):
        image, size = super().small(row, side)
        return image, (64, 64) if row == 4 else size


@pytest.fixture
def review(make_review):
    near = alike((3, 4, 5), (10, 11), range(20, 40))
    images = Pictures(toy_images().array)
    return make_review({"neighbors": near, "images": images}, budget=46, repair=0)


def test_groups_are_what_pairs_connect_and_are_under_review(review):
    groups = DuplicateGroups(review.source, 0.95)
    listed = groups.in_order([3, 10, 11], np.array([5]))
    assert listed == [
        (3, 3, True, False), (10, 2, False, True), (20, 20, False, False)
    ]  # fmt: skip
    assert DuplicateGroups(review.source, 0.97).in_order([], np.array([], np.int64)) == []
    # Number 4 was dropped by a curator: 3 and 5 are no pair, and the rows are other ones.
    rows = np.delete(np.arange(ROWS), 4)
    dataset = review.source.dataset
    curated = Source(review.source.folder, dataset.take(rows), {}, dataset, rows)
    firsts = [(one[0], one[1]) for one in DuplicateGroups(curated, 0.95).in_order([], [])]
    assert firsts == [(9, 2), (19, 20)]


def test_a_large_group_is_decided_as_far_as_it_was_shown(review):
    groups = DuplicateGroups(review.source, 0.95)
    assert groups.shown(20, {}) == list(range(20, 32))
    stays = dict.fromkeys(range(20, 32), "toy-022") | {22: None}
    assert groups.shown(20, stays) == [22, *range(32, 40)]
    assert groups.shown(20, dict.fromkeys(range(20, 39))) == [*range(20, 31), 39]
    assert groups.shown(20, dict.fromkeys(range(20, 40))) == list(range(20, 32))


def decide(served, link, decision, rows, keep=None, key="a-key-of-its-own"):
    fields = f"key={key}&group={rows[0]}&decision={decision}&filters=open=1"
    fields += "".join(f"&rows={row}" for row in rows) + ("" if keep is None else f"&keep={keep}")
    return served.form(f"{link}/duplicates", fields)


def test_a_decision_is_votes_of_an_expert_with_what_is_kept(review, serving, tmp_path):
    with serving(review, trusted=True) as served:
        ana = served.workers[0]
        assert decide(served, ana, "drop", [3, 4, 5], 4).status == 303
        assert decide(served, ana, "drop", [3, 4, 5], 4).status == 303, "the same again"
        assert decide(served, ana, "apart", [10, 11], 10, "another-key-of-it").status == 303
        assert decide(served, ana, "drop", [3, 4, 5], 3).status == 409, "other content, same key"
    store = review.store()
    votes = counted_votes(store)
    assert [
        (one["item"], one["answer"], one["kept"], one["task"], one["trusted"])
        for one in votes.to_pylist()
    ] == [
        ("toy-003", "no", "toy-004", "duplicates", True),
        ("toy-004", "yes", None, "duplicates", True),
        ("toy-005", "no", "toy-004", "duplicates", True),
        ("toy-010", "yes", None, "duplicates", True),
        ("toy-011", "yes", None, "duplicates", True),
    ]
    assert len(events(store)) == 5
    assert decided_copies(store) == {3: "toy-004", 4: None, 5: "toy-004", 10: None, 11: None}
    for suffix in ("csv", "parquet"):
        first, again = tmp_path / f"first.{suffix}", tmp_path / f"again.{suffix}"
        export_review(store, review.source, ExportOptions(to=first))
        (review.folder / "votes.sqlite").rename(tmp_path / f"full-{suffix}")
        empty = review.store()
        assert import_votes(empty, review.source.dataset, first).startswith("5 votes added, 0")
        assert import_votes(empty, review.source.dataset, first).startswith("0 votes added, 5")
        export_review(empty, review.source, ExportOptions(to=again))
        empty.close()
        assert again.read_bytes() == first.read_bytes()
    store.close()


def test_what_is_refused(review, serving):
    with serving(review, workers=1) as served:
        worker, owner = served.workers[0], served.owner
        assert served.get(f"{worker}/duplicates").status == 404, "not trusted"
        for rows, keep in (([3, 4, 10], 3), ([3, 4], 5), ([3, 4], None), ([3, 9_999], 3), ([3], 3)):
            assert decide(served, owner, "drop", rows, keep).status == 400
    store = review.store()
    assert not len(events(store))
    store.close()


def curated(text, tmp_path, **options):
    """What the curator leaves of six toys, and its reasons, for a table of votes."""
    (tmp_path / "votes.csv").write_text(text)
    dataset = toy_dataset().take(np.arange(6)).replace(votes=None)
    votes, _ = votes_of(read_votes(tmp_path / "votes.csv"), dataset.ids, dataset.classes)
    found = ApplyVotes(**options).curate(dataset.replace(votes=votes), ())
    reasons = dict(zip(found.changes["id"].to_pylist(), found.changes["reason"].to_pylist(),
                       strict=True))  # fmt: skip
    return [int(one[-1]) for one in found.dataset.ids.tolist()], reasons


HEAD = "item,rater,label,answer,time,task,trusted,kept\n"


def copy_of(number, kept, second=0, rater="ana", trusted="true"):
    said = f"no,2026-11-28T00:00:{second:02}Z,duplicates,{trusted},toy-00{kept}"
    if kept is None:
        said = f"yes,2026-11-28T00:00:{second:02}Z,duplicates,{trusted},"
    return f"toy-00{number},{rater},red,{said}\n"


def test_the_curator_drops_near_duplicates_and_says_of_what(tmp_path):
    left, reasons = curated(HEAD + copy_of(1, 2) + copy_of(2, None), tmp_path)
    assert left == [0, 2, 3, 4, 5]
    assert reasons == {"toy-001": "near-duplicate of toy-002"}


@pytest.mark.parametrize(
    ("decisions", "left"),
    [
        ([copy_of(1, 2), copy_of(2, 3, 1)], [0, 3, 4, 5]),  # of 3, in the end
        ([copy_of(1, 2), copy_of(2, 1, 1)], [0, 1, 2, 3, 4, 5]),  # in a circle
        ([copy_of(1, 2), copy_of(2, 3), copy_of(3, 1)], [0, 1, 2, 3, 4, 5]),
        ([copy_of(1, 2), copy_of(1, None, 1, "bo")], [0, 1, 2, 3, 4, 5]),  # the latest counts
        ([copy_of(1, 2, 1), copy_of(1, None, 0, "bo")], [0, 2, 3, 4, 5]),
        ([copy_of(1, 2, 0, "bo", "false")], [0, 1, 2, 3, 4, 5]),  # nobody's expert
        ([copy_of(1, 9)], [0, 1, 2, 3, 4, 5]),  # of a sample that is not there
    ],
)
def test_decisions_that_follow_from_each_other_or_contradict(tmp_path, decisions, left):
    assert curated(HEAD + "".join(decisions), tmp_path)[0] == left


def test_a_duplicate_of_a_wrong_sample_stays_and_one_of_the_test_set_leaves(tmp_path):
    label = toy_dataset().classes[toy_dataset().labels[2]]
    text = HEAD + copy_of(1, 2) + f"toy-002,ana,{label},no,,relabel,true,\n"
    left, reasons = curated(text, tmp_path)
    assert left == [0, 1, 3, 4, 5]
    assert reasons == {"toy-002": f"ana (trusted) says it is not {label}"}
    text = HEAD + copy_of(1, 2) + "toy-002,bo,red,yes,,select,,\n"
    left, reasons = curated(text, tmp_path)
    assert left == [0, 3, 4, 5]
    assert reasons == {"toy-001": "near-duplicate of toy-002", "toy-002": "in the test set"}


def test_a_duplicate_is_no_part_of_a_test_set(make_review, serving, tmp_path):
    near = {"neighbors": alike((3, 4), (10, 11))}
    review = make_review(near, tasks=("select",), select_per_task=50, select_classes=("green",))
    store = review.store()
    add_rater(store)
    (item,) = store.db.execute("SELECT id FROM item WHERE row = 10").fetchone()
    store.db.execute("INSERT INTO event VALUES (1, '', 1, ?, 0, '', 1, 1, 0, 0, '', 0)", (item,))
    store.db.execute("INSERT INTO vote VALUES (?, 1, 1, 1, NULL, 0, 0, 1)", (item,))
    store.recount([item])
    assert picked_rows(store).tolist() == [10]
    with serving(review, workers=0) as served:
        page = served.get(f"{served.owner}/duplicates").body.decode()
        assert page.index("toy-010") < page.index("toy-003"), "partly in the test set: comes first"
        decide(served, served.owner, "drop", [10, 11], 11)
    with pytest.raises(InputError, match="nothing is picked for a test set"):
        export_review(store, review.source, ExportOptions(test=tmp_path / "test"))
    store.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neighbors": None}, "since this dataset has no neighbors. Run a pipeline with the enr"),
        ({"neighbors": alike()}, "No two of these samples have a similarity of 0.95 or more."),
    ],
)
def test_a_dataset_without_neighbors_or_duplicates_says_so(make_review, serving, changes, said):
    with serving(make_review(changes, budget=20), workers=0) as served:
        answer = served.get(f"{served.owner}/duplicates")
    assert answer.status == 200
    assert said in answer.body.decode()


def latest(review):
    store = review.store()
    found = decided_copies(store)
    store.close()
    return found


@pytest.mark.browser
def test_by_keyboard_with_undo(review, serving, browser):
    with serving(review, workers=0) as served:
        page = browser.new_page()
        page.goto(f"{served.url}{served.owner}/duplicates")
        expect(page.get_by_role("radio", name="toy-004")).to_be_checked()
        page.keyboard.press("1")
        expect(page.get_by_role("radio", name="toy-003")).to_be_checked()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="toy-005")).to_be_checked()
        page.keyboard.press("Enter")
        expect(page.get_by_role("radio", name="toy-010")).to_be_checked()
        assert latest(review) == {3: "toy-005", 4: "toy-005", 5: None}
        page.keyboard.press("u")
        expect(page.get_by_role("radio", name="toy-005")).to_be_checked()
        page.keyboard.press("u")
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)
        assert latest(review) == {}
        page.keyboard.press("n")
        expect(page.get_by_role("radio", name="toy-010")).to_be_visible()
        assert latest(review) == {3: None, 4: None, 5: None}
        page.keyboard.press("Shift+J")  # the first one: nothing before it
        page.keyboard.press("j")
        expect(page.get_by_text("12 of them are shown")).to_be_visible()
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["touch", "without-scripts"])
def test_on_a_phone_and_without_scripts(review, serving, browser, scripts):
    with serving(review, workers=0) as served:
        context = browser.new_context(**PHONE, java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{served.url}{served.owner}")
        page.get_by_role("link", name="Duplicates").tap()
        expect(page.get_by_role("radio", name="toy-004")).to_be_checked()
        if scripts:
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator(".copies label").nth(2).tap()
        page.get_by_role("button", name="Drop the others").tap()
        expect(page.get_by_role("radio", name="toy-010")).to_be_checked()
        assert latest(review) == {3: "toy-005", 4: "toy-005", 5: None}
        page.get_by_role("button", name="Not duplicates").tap()
        expect(page.get_by_text(re.compile("2 decided"))).to_be_visible()
        for _ in range(2):
            page.get_by_role("button", name="Drop the others").tap()
        expect(page.get_by_text("Every group is decided.")).to_be_visible()
        assert len(latest(review)) == 25
        context.close()
