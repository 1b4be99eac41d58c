"""`adc certify` on the review of a run: what it prints, what it refuses, what comes after it."""

import html
import json
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
from adc_process import run_adc

from adc_core import Dataset, ImageArray, InputError, read_run, save_dataset
from adc_plugins_review import read_votes, votes_table, write_votes
from adc_plugins_review.actions.certify_review import certify_review
from adc_plugins_review.actions.make_plan import PlanOptions, make_plan
from adc_plugins_review.campaign.plan import GoldQuestion, read_plan, write_plan
from adc_plugins_review.campaign.source import read_source
from adc_plugins_review.votes.votes_table import sorted_votes

SIZE, CLASSES = 600, ("cat", "dog", "owl")

PIPELINE = """
dataset: data
enrichers: [{use: votes, path: run/review/votes.csv}]
detectors: [self-confidence]
curators: [{use: votes, rule: one-then-two}]
"""


def adc(folder, *arguments):
    return run_adc(*arguments, cwd=folder)


def made(tmp_path):
    """A run of 600 samples of which 60 labels are wrong; most of these look suspicious."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, SIZE)
    labels = truth.copy()
    labels[:60] = (labels[:60] + rng.integers(1, 3, 60)) % 3
    order = rng.permutation(SIZE)
    truth, labels = truth[order], labels[order]
    logits = rng.normal(0, 1, (SIZE, 3)) + 2.5 * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    dataset = Dataset(
        labels=labels,
        classes=CLASSES,
        ids=[f"s{row:03}" for row in range(SIZE)],
        images=ImageArray(rng.integers(0, 255, (SIZE, 4, 4, 3), np.uint8)),
        probabilities=probabilities.astype(np.float32),
    )
    save_dataset(dataset, tmp_path / "data")
    (tmp_path / "knit.yaml").write_text(PIPELINE)
    done = adc(tmp_path, "run", "knit.yaml", "--out", "run")
    assert done.returncode == 0, done.stderr
    return dataset, truth


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certify")
    return folder, *made(folder)


@pytest.fixture
def review(pristine, tmp_path):
    """A copy of the run, its dataset and the truth."""
    folder, dataset, truth = pristine
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return tmp_path, dataset, truth


def planned(folder, **options):
    plan = make_plan(read_source(folder / "run"), PlanOptions(**{"budget": 200} | options))
    write_plan(plan, folder / "run" / "review")
    return plan


def vote(folder, dataset, truth, plan, *, without=(), votes=1, gold_missed=None, copies=()):
    """Three people who see the truth answer what the plan shows; a doubt is asked thrice.

    An expert drops one of each pair of copies for the other.
    """
    rows = [row for row in (*plan.repair, *plan.audit) if row not in without]
    told = []
    for row in rows:
        right = truth[row] == dataset.labels[row]
        raters = range(votes if right else 3)
        told += [(dataset.ids[row], r, dataset.labels[row], right, "audit") for r in raters]
    for number, gold in enumerate(plan.gold):
        for rater in range(3):
            accepted = gold.right or number < (gold_missed or 0)
            told.append((dataset.ids[gold.row], rater, gold.label, accepted, "gold"))
    told = [(*one, "vote", None) for one in told]
    for dropped, kept in copies:
        label, name = dataset.labels[dropped], dataset.ids[kept]
        told.append((dataset.ids[dropped], 9, label, False, "other", "duplicates", str(name)))
    write_votes(
        votes_table(
            {
                "item": [str(one[0]) for one in told],
                "rater": [f"r{one[1]:02}" for one in told],
                "label": [CLASSES[one[2]] for one in told],
                "answer": ["yes" if one[3] else "no" for one in told],
                "time": list(range(1, len(told) + 1)),
                "part": [one[4] for one in told],
                "task": [one[5] for one in told],
                "kept": [one[6] for one in told],
                "trusted": [one[6] is not None for one in told],
            }
        ),
        folder / "run" / "review" / "votes.csv",
    )


def certify(folder, *more):
    return adc(folder, "certify", "run", "--votes", "run/review/votes.csv", *more)


def wrong_left(dataset, truth, dropped):
    return int(((truth != dataset.labels) & ~np.isin(dataset.ids, dropped)).sum())


def test_a_review_from_plan_to_curated_dataset(review):
    folder, dataset, truth = review
    plan = planned(folder)
    shown = (*plan.repair, *plan.audit)
    right = [row for row in shown if truth[row] == dataset.labels[row]]
    unseen = [row for row in range(SIZE) if row not in shown]
    vote(folder, dataset, truth, plan)
    alone = certify_review(folder / "run", votes=folder / "run" / "review" / "votes.csv")
    alone = alone.model_dump(mode="json")
    # A sample that was found right, and one that nobody looked at, are copies of others.
    copies = [(right[0], right[1]), (unseen[0], right[1])]
    vote(folder, dataset, truth, plan, copies=copies)
    done = certify(folder)
    assert done.returncode == 0, done.stderr
    first, second, third, fourth = done.stdout.splitlines()
    assert first.startswith("residual label noise ≤ ")
    assert first.endswith(" % with 95 % confidence, as judged by 3 people (one-then-two)")
    assert f"  600 samples; the {len(plan.repair)} most suspicious looked at, " in second
    assert f"{len(plan.audit)} of the other {600 - len(plan.repair)} drawn at random" in second
    assert second.endswith("; 2 more leave, for the test set, as duplicates or by an expert")
    assert " 0 open; looked at once, as planned on 20" in third
    assert fourth.startswith("  no control questions were asked: wrong means that these people")
    stored = json.loads((folder / "run" / "review" / "certificate.json").read_text())
    assert stored["plan"] == read_plan(folder / "run").sha256
    assert json.loads(certify(folder, "--json").stdout)["bound"] == stored["bound"]

    again = adc(folder, "run", "knit.yaml", "--out", "run")
    assert again.returncode == 0, again.stderr
    report = html.unescape((folder / "run" / "report.html").read_text())
    assert "What is still wrong" in report and first in report
    run = read_run(folder / "run")
    dropped = run.curations["votes"].changes["id"].to_pylist()
    bound = stored["bound"]
    assert bound["dropped"] == len(dropped) == alone["bound"]["dropped"] + 2 > 10
    assert {str(dataset.ids[row]) for row, _ in copies} <= set(dropped)
    same = ("drawn_wrong", "repaired_wrong", "judged_upper", "left_upper")
    assert [bound[name] for name in same] == [alone["bound"][name] for name in same]
    assert bound["rate_upper"] == bound["left_upper"] / (SIZE - len(dropped))
    assert [stored[name] for name in ("votes", "people", "open", "classes")] == [
        alone[name] for name in ("votes", "people", "open", "classes")
    ], "to drop a duplicate is no verdict about its label"
    assert run.curated.fingerprint_of("ids", "labels") == stored["left"]
    assert wrong_left(dataset, truth, dropped) <= bound["left_upper"]
    assert sum(one["drawn"] for one in stored["classes"]) == len(plan.audit)
    # The dataset of the plan is found before the curator of votes, which has changed it since.
    assert certify(folder).stdout == done.stdout


def test_people_who_were_shown_what_detectors_say_certify_nothing(review):
    folder, dataset, truth = review
    plan = planned(folder)
    vote(folder, dataset, truth, plan)
    path = folder / "run" / "review" / "votes.csv"
    table = read_votes(path)
    row = plan.audit[0]
    swayed = {"item": [dataset.ids[row]], "rater": ["bo"], "label": [CLASSES[dataset.labels[row]]]}
    for expert in (True, False):
        more = votes_table({**swayed, "task": ["relabel"], "trusted": [expert]})
        write_votes(sorted_votes(pa.concat_tables([table, more])), path)
        if expert:
            assert certify_review(folder / "run", votes=path).open == 0
            continue
        with pytest.raises(InputError) as caught:
            certify_review(folder / "run", votes=path)
    assert str(caught.value) == (
        "1 votes on audited samples are of people who were shown what detectors say (bo): certify "
        "with --votes and a table without them"
    )


def test_what_experts_decide_beside_the_audit_lowers_no_bound(review):
    """They see what detectors say: of the suspects they decide, of what measures the panel does."""
    folder, dataset, truth = review
    plan = planned(folder)
    vote(folder, dataset, truth, plan)
    path = folder / "run" / "review" / "votes.csv"
    alone = certify_review(folder / "run", votes=path).bound
    shown = (*plan.repair, *plan.audit)
    unseen = [row for row in range(SIZE) if row not in shown][:30]
    wrong = next(row for row in plan.audit if truth[row] != dataset.labels[row])
    suspect = next(row for row in plan.repair if truth[row] != dataset.labels[row])
    decided = [*((row, "no") for row in unseen), (wrong, "yes"), (suspect, "yes")]
    experts = votes_table(
        {
            "item": [str(dataset.ids[row]) for row, _ in decided],
            "rater": ["expert"] * len(decided),
            "label": [CLASSES[dataset.labels[row]] for row, _ in decided],
            "answer": [answer for _, answer in decided],
            "time": list(range(10**6, 10**6 + len(decided))),
            "task": ["relabel"] * len(decided),
            "trusted": [True] * len(decided),
        }
    )
    write_votes(sorted_votes(pa.concat_tables([read_votes(path), experts])), path)
    bound = certify_review(folder / "run", votes=path).bound
    # Thirty more leave, which the panel was not asked about; what it found in the audit stays.
    assert bound.dropped == alone.dropped + 30 - 2
    assert (bound.drawn_wrong, bound.judged_upper) == (alone.drawn_wrong, alone.judged_upper)
    assert bound.repaired_wrong == alone.repaired_wrong - 1
    assert bound.left_upper == alone.left_upper + 1


@pytest.mark.parametrize("look", ["once", "any"])
def test_everybody_may_say_yes(review, look):
    folder, dataset, _ = review
    plan = planned(folder, look=look)
    vote(folder, dataset, dataset.labels, plan)
    done = certify(folder)
    assert done.returncode == 0, done.stderr
    stored = json.loads((folder / "run" / "review" / "certificate.json").read_text())
    assert (stored["bound"]["dropped"], stored["open"]) == (0, 0)
    assert 0 < stored["bound"]["rate_upper"] < 0.05


def test_at_any_time_the_first_decided_ones_count(review):
    folder, dataset, truth = review
    plan = planned(folder, look="any")
    vote(folder, dataset, truth, plan, without=plan.audit[100:])
    done = certify(folder)
    assert done.returncode == 0, done.stderr
    assert "; valid at any time, planned on 20" in done.stdout
    stored = json.loads((folder / "run" / "review" / "certificate.json").read_text())
    assert (stored["bound"]["look"], stored["bound"]["drawn"]) == ("any", 100)
    dropped = [dataset.ids[row] for row in (*plan.repair, *plan.audit[:100])]
    assert wrong_left(dataset, truth, dropped) <= stored["bound"]["left_upper"]


def test_control_questions_are_counted(review):
    folder, dataset, truth = review
    bare = planned(folder)
    free = np.setdiff1d(np.arange(SIZE), [*bare.repair, *bare.audit])
    gold = tuple(
        GoldQuestion(row=int(row), label=int((truth[row] + wrong) % 3), right=not wrong)
        for number, row in enumerate(free[:80].tolist())
        for wrong in [number % 2]
    )
    split = {"audit": 0.04, "thinning": 0.005, "gold": 0.005}
    plan = bare.replace(gold=gold, alpha=split)
    write_plan(plan, folder / "run" / "review")
    vote(folder, dataset, truth, plan, gold_missed=4)
    done = certify(folder)
    assert done.returncode == 0, done.stderr
    # Four questions are let pass, of which two have a wrong label: 2 of 40.
    assert "  truly wrong, if these people let at most 21.2 % of wrong labels pass" in done.stdout
    assert "(control questions: 2 of 40)" in done.stdout
    assert adc(folder, "run", "knit.yaml", "--out", "run").returncode == 0
    stored = json.loads((folder / "run" / "review" / "certificate.json").read_text())
    left = read_run(folder / "run").curated.fingerprint_of("ids", "labels")
    assert left == stored["left"]


def test_what_is_not_finished_needs_to_be_said(review):
    folder, dataset, truth = review
    plan = planned(folder)
    vote(folder, dataset, truth, plan, without=plan.audit[-3:])
    done = certify(folder)
    assert done.returncode == 2
    shown = len(plan.repair) + len(plan.audit)
    assert f"3 of {shown} samples of the plan are not decided" in done.stderr
    assert not (folder / "run" / "review" / "certificate.json").exists()
    assert " 3 open; " in certify(folder, "--now").stdout


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("dataset", "data has changed since the run"),
        ("audit", "plan.json has another audit than its seed draws"),
        ("database", "votes.sqlite has votes under another plan"),
        ("votes", "nobody has voted yet"),
        ("plan", "run `adc review run plan` first"),
        ("class", 'there is no class "cow": did you mean'),
        ("rule", "needs three votes a sample, but the plan asks for one-then-two"),
    ],
)
def test_what_does_not_belong_together_is_refused(review, harm, message):
    folder, dataset, truth = review
    plan = planned(folder)
    vote(folder, dataset, truth, plan)
    votes = folder / "run" / "review" / "votes.csv"
    more = ()
    if harm == "dataset":
        shutil.rmtree(folder / "data")
        save_dataset(dataset.relabeled((dataset.labels + 1) % 3), folder / "data")
    elif harm == "audit":
        audit = (*plan.audit[1:], plan.audit[0])
        write_plan(plan.replace(audit=audit), folder / "run" / "review")
    elif harm == "database":
        with closing(sqlite3.connect(votes.with_name("votes.sqlite"))) as database:
            database.execute("CREATE TABLE meta (key, value)")
            database.execute("INSERT INTO meta VALUES ('plan', 'of another review')")
            database.commit()
    elif harm == "votes":
        votes.unlink()
    elif harm == "plan":
        (folder / "run" / "review" / "plan.json").unlink()
    elif harm == "class":
        votes.write_text(votes.read_text().replace("dog", "cow"))
    else:
        more = ("--rule", "unanimous")
    done = certify(folder, *more)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
