"""How wrong a test set is that people picked: by the votes of its review, or by all of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from adc_core import read_dataset, read_run
from adc_plugins_review import votes_table, write_votes


@pytest.fixture
def run(folder, adc):
    """The true label of each id of a finished run."""
    found = read_run(folder / "run")
    return dict(zip(found.collected.ids.tolist(), found.truth.tolist(), strict=True))


def certificate(folder="run", name="certificate-test.json"):
    return json.loads((Path(folder) / "review" / name).read_text())


def wrong_share(dataset, truth):
    return np.mean([truth[one] for one in dataset.ids.tolist()] != dataset.labels)


def write_answers(picked, answer):
    """Write `votes.csv`: of three people on each sample, who all say the same."""
    told = [
        (one, f"r{rater:02}", picked.classes[label], answer(one, label))
        for one, label in zip(picked.ids.tolist(), picked.labels.tolist(), strict=True)
        for rater in (1, 2, 3)
    ]
    columns = dict(zip(("item", "rater", "label", "answer"), zip(*told, strict=True), strict=True))
    write_votes(votes_table({name: list(one) for name, one in columns.items()}), Path("votes.csv"))


@pytest.mark.parametrize("look", ["once", "any"])
def test_what_was_picked_is_certified_by_the_audit_among_it(run, adc, look):
    adc("review", "run", "plan", "--tasks", "vote,select", "--select-per-task", "10",
        "--budget", "92", "--repair", "10", "--look", look)  # fmt: skip
    assert "nobody has voted yet" in adc("certify", "run", "--of", "test", fails=True)
    adc("review", "run", "rehearse", "--people", "3", "--error", "0.02")
    said = adc("certify", "run", "--of", "test")
    assert re.match(r"label noise of the test set ≤ [\d.]+ % with 95 % confidence, as judged", said)
    assert " samples that people picked; " in said
    stored, plan = certificate(), certificate(name="plan.json")
    bound = stored["bound"]
    assert bound["drawn"] < len(plan["audit"]), "only those of the audit that were picked"
    assert bound["drawn"] + bound["repaired"] < bound["population"]
    adc("review", "run", "export", "--test", "test")
    kept = read_dataset("test")
    assert (stored["of"], stored["left"]) == ("test", kept.fingerprint_of("ids", "labels"))
    assert len(kept) == bound["population"] - bound["dropped"]
    assert wrong_share(kept, run) <= bound["rate_upper"] < 1
    assert not (Path("run/review") / "certificate.json").exists(), "that is of the training set"


def test_a_test_set_is_reviewed_whole_as_a_dataset_of_its_own(run, adc):
    adc("review", "run", "plan", "--tasks", "select", "--select-per-task", "10")
    adc("review", "run", "rehearse", "--people", "2", "--error", "0.1")
    said = adc("certify", "run", "--of", "test", fails=True)
    assert re.search(r"none of the \d+ picked samples was drawn to be voted on: review them", said)
    assert said.count("\n") == 1
    adc("review", "run", "export", "--test", "test")
    picked = read_dataset("test")
    adc("review", "test", "plan", "--out", "test-review", "--votes", "3")
    write_answers(picked, lambda one, label: "yes" if run[one] == label else "no")
    adc("review", "test-review", "import", "votes.csv")
    said = adc("certify", "test-review")
    wrong = round(wrong_share(picked, run) * len(picked))
    assert wrong, "or nothing is tested"
    looked_at = f"; all looked at, {wrong} judged wrong and removed\n"
    assert said.startswith("residual label noise ≤ 0.00 % ") and looked_at in said

    adc("review", "test-review", "export", "--to", "verified.csv")
    adc("review", "run", "import", "verified.csv")
    said = adc("certify", "run", "--of", "test")
    assert said.startswith("label noise of the test set ≤ 0.00 % ") and looked_at in said
    adc("review", "run", "export", "--test", "verified")
    kept = read_dataset("verified")
    assert len(kept) == len(picked) - wrong and not wrong_share(kept, run)
    assert certificate()["left"] == kept.fingerprint_of("ids", "labels")


def test_nothing_picked_is_no_test_set(run, adc):
    adc("review", "run", "plan", "--budget", "23")
    adc("review", "run", "rehearse", "--people", "1")
    assert "nobody has picked samples for a test set" in adc(
        "certify", "run", "--of", "test", fails=True
    )


def test_a_test_set_of_which_all_is_rejected_is_none(run, adc):
    adc("review", "run", "plan", "--tasks", "select", "--select-per-task", "10")
    adc("review", "run", "rehearse", "--people", "2")
    adc("review", "run", "export", "--test", "test")
    picked = read_dataset("test")
    write_answers(picked, lambda one, label: "no")
    adc("review", "run", "import", "votes.csv")
    said = adc("certify", "run", "--of", "test", fails=True)
    assert "every picked sample is rejected: there is no test set to certify\n" in said
    told = adc("review", "run", "export", "--test", "none", fails=True)
    assert "nothing is picked for a test set, or all of it is rejected" in told
