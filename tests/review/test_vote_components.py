"""Votes in a pipeline: what detectors find in them, and what the curator makes of them."""

import numpy as np
import pytest

from adc_core import Curator, Dataset, Detector, InputError, Pipeline, Run, Votes, run_pipeline
from adc_core.components.component import create
from adc_core.runs.listeners import Listeners
from adc_core.testing.toys import toy_dataset, toy_truth
from adc_plugins_review import ApplyVotes, DawidSkene, MajorityVotes, OneCoin, Raters, dawid_skene

DETECTORS = ("majority-votes", "dawid-skene", "one-coin", "mace", "crowdlab")
CLASSES = ("Dress", "Shirt", "Vest")
YES, UNSURE, NO = 1, 0, -1


def dataset(labels, votes, *, trusted=(), times=None, names=None):
    """A dataset and its votes, given as (item, rater, label, answer)."""
    item, rater, label, answer = (list(column) for column in zip(*votes, strict=True))
    count = max(rater) + 1
    return Dataset(
        labels=labels,
        classes=CLASSES,
        votes=Votes(
            item=item,
            rater=rater,
            label=label,
            answer=answer,
            time=times,
            names=names or tuple(f"r{number:02}" for number in range(count)),
            trusted=np.isin(np.arange(count), trusted) if trusted else None,
        ),
    )


def asked(*answers, label=0):
    """Answers to "is this the label?" of one sample after the other."""
    return [
        (item, rater, label, answer)
        for item, row in enumerate(answers)
        for rater, answer in enumerate(row)
    ]


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_find_what_people_see(name):
    given = toy_dataset()
    found = create(Detector, {"use": name}).detect(given)
    wrong = given.labels != toy_truth()
    assert (found.flagged[found.covered] == wrong[found.covered]).mean() > 0.93
    named = found.flagged & wrong & (found.suggested_labels >= 0)
    assert (found.suggested_labels[named] == toy_truth()[named]).mean() > 0.8
    assert found.noise_rate == pytest.approx(wrong.mean(), abs=0.06)
    assert np.diag(found.transition).min() > 0.7


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_understand_answers(name):
    rng = np.random.default_rng(2)
    given = toy_dataset()
    wrong = given.labels != toy_truth()
    item, rater = np.indices((150, 4)).reshape(2, -1)
    mistaken = rng.random(len(item)) < 0.1
    answer = np.where(
        wrong[item] ^ mistaken, np.where(rng.random(len(item)) < 0.3, UNSURE, NO), YES
    )
    votes = Votes(item=item, rater=rater, label=given.labels[item], answer=answer)
    found = create(Detector, {"use": name}).detect(given.replace(votes=votes))
    assert (found.flagged == wrong).mean() > 0.96
    assert (found.suggested_labels == -1).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_without_votes_nothing_is_judged(name):
    empty = Votes(item=[], rater=[], label=[])
    found = create(Detector, {"use": name}).detect(toy_dataset().replace(votes=empty))
    assert not found.covered.any()
    assert not found.flagged.any()
    assert found.noise_rate is None


def test_few_votes_are_not_judged_and_ties_keep_the_label():
    votes = Votes(item=[0, 0, 1, 2, 2, 2], rater=[0, 1, 0, 0, 1, 2], label=[0, 1, 1, 0, 1, 2])
    found = MajorityVotes().detect(Dataset(labels=[0, 0, 2], classes=CLASSES, votes=votes))
    assert found.covered.tolist() == [True, False, True]
    assert not found.flagged.any()
    assert found.suspicion[2] == pytest.approx(2 / 3)


def test_the_posterior_of_the_given_label_is_the_suspicion():
    given = toy_dataset()
    votes = given.votes
    found = dawid_skene(votes.item, votes.rater, votes.label, items=150, raters=6, classes=3)
    expected = 1 - found.posterior[np.arange(150), given.labels]
    suspicion = DawidSkene().detect(given).suspicion
    judged = ~np.isnan(suspicion)
    assert suspicion[judged] == pytest.approx(expected[judged])


def test_one_coin_says_where_it_is_the_wrong_model(monkeypatch):
    said = []
    monkeypatch.setattr("adc_plugins_review.detectors.one_coin.status", said.append)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    item, rater = np.indices((200, 5)).reshape(2, -1)
    label = np.where((truth[item] == 1) & (rng.random(1000) < 0.5), 0, truth[item])
    OneCoin().detect(Dataset(labels=truth, votes=Votes(item=item, rater=rater, label=label)))
    assert "use dawid-skene" in said[0]


def test_crowdlab_wants_probabilities_out_of_sample():
    given = toy_dataset()
    inside = given.probabilities.replace(origin="in sample")
    with pytest.raises(InputError, match="of a model that has not seen the labels"):
        create(Detector, {"use": "crowdlab"}).detect(given.replace(probabilities=inside))


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("majority", ["3", "4"]),
        ("no-objection", ["2", "3", "4"]),
        ("unanimous", ["1", "2", "3", "4"]),
        ("one-then-two", ["3", "4"]),
    ],
)
def test_rules_of_the_curator(rule, dropped):
    answers = asked((1, 1, 1), (1, 1, 0), (1, 1, -1), (0, 1, 0), (-1, -1, -1), (1,), (-1,))
    curation = ApplyVotes(rule=rule).curate(dataset([0] * 7, answers), ())
    changes = curation.changes.to_pylist()
    assert [change["id"] for change in changes] == dropped
    assert changes[-1]["reason"] == f"judged wrong by 3 of 3 raters ({rule})"
    assert curation.notes == (
        "of 5 labels with three answers or more wrong: "
        "40.00% by majority, 60.00% by no-objection, 80.00% by unanimous",
    )


def test_the_order_of_answers_counts_for_one_then_two():
    votes = [(0, 0, 0, NO), (0, 1, 0, YES), (0, 2, 0, NO)]
    first_no = ApplyVotes(rule="one-then-two").curate(dataset([0, 1], votes, times=[1, 2, 3]), ())
    first_yes = ApplyVotes(rule="one-then-two").curate(dataset([0, 1], votes, times=[2, 1, 3]), ())
    assert first_no.count("drop") == 1
    assert len(first_yes.changes) == 0


def test_named_classes_are_given_where_asked_for():
    votes = [*asked((NO, NO, YES), (NO, NO, NO)), (0, 0, 1, YES), (0, 1, 1, YES)]
    given = dataset([0, 0, 2], votes)
    curation = ApplyVotes(wrong="relabel").curate(given, ())
    assert curation.changes.to_pylist() == [
        {
            "id": "0",
            "action": "relabel",
            "old_label": 0,
            "new_label": 1,
            "reason": "judged wrong by 2 of 3 raters (majority)",
        },
        {
            "id": "1",
            "action": "drop",
            "old_label": 0,
            "new_label": -1,
            "reason": "judged wrong by 3 of 3 raters (majority)",
        },
    ]
    assert ApplyVotes().curate(given, ()).count("drop") == 2


def test_votes_for_classes_by_majority_and_ties_keep():
    votes = Votes(
        item=[0, 0, 0, 1, 1, 1, 1, 2, 2],
        rater=[0, 1, 2, 0, 1, 2, 3, 0, 1],
        label=[1, 1, 0, 0, 0, 2, 2, 1, 1],
    )
    given = Dataset(labels=[0, 0, 0], classes=CLASSES, votes=votes)
    (change,) = ApplyVotes(wrong="relabel").curate(given, ()).changes.to_pylist()
    assert (change["id"], change["new_label"]) == ("0", 1)
    assert change["reason"] == "2 of 3 raters say Shirt (majority)"
    assert ApplyVotes(wrong="relabel", min_votes=2).curate(given, ()).count("relabel") == 2


def test_a_trusted_rater_has_the_last_word():
    votes = [
        *asked((YES, YES, YES), (NO, NO, NO), (YES, YES, YES)),
        (0, 3, 0, NO),
        (0, 3, 1, YES),
        (1, 3, 0, YES),
        (2, 3, 0, NO),
    ]
    given = dataset([0, 0, 0, 0], votes, trusted=(3,))
    changes = ApplyVotes(wrong="relabel").curate(given, ()).changes.to_pylist()
    assert [(one["id"], one["action"], one["reason"]) for one in changes] == [
        ("0", "relabel", "r03 (trusted) says Shirt"),
        ("2", "drop", "r03 (trusted) says it is not Dress"),
    ]
    alone = ApplyVotes(rule="trusted").curate(given, ()).changes["id"].to_pylist()
    assert alone == ["0", "2"]
    ignored = ApplyVotes(trusted=False, min_votes=3).curate(given, ()).changes["id"].to_pylist()
    assert ignored == ["1"]


def test_what_was_selected_for_a_test_set_is_held_out():
    given = dataset([0, 0, 0], asked((YES, YES, YES)))
    given = given.replace(votes=given.votes.replace(selected=[1]))
    curation = ApplyVotes().curate(given, ())
    assert curation.changes["reason"].to_pylist() == ["in the test set"]
    assert len(ApplyVotes(select="keep").curate(given, ()).changes) == 0


def test_votes_act_after_another_curator(tmp_path):
    given = toy_dataset()
    pipeline = Pipeline(
        dataset=given.replace(images=None, neighbors=None, dynamics=None),
        detectors=[{"use": "dawid-skene"}],
        curators=[{"use": "drop"}, {"use": "votes", "min_votes": 2}],
        metrics=[{"use": "raters"}],
    )
    run = run_pipeline(pipeline, tmp_path / "run", Listeners())
    dropped, voted = run.curations["drop"], run.curations["votes"]
    assert dropped.count("drop") > 10
    assert len(voted.dataset.votes) < len(given.votes)
    assert {one.metric for one in run.measurements} == {"Krippendorff's alpha", "votes per sample"}


def test_raters_are_measured_with_and_without_the_truth():
    given = toy_dataset()
    figures = {
        (one.subject, one.metric): one.value
        for one in Raters().measure(Run(collected=given, truth=toy_truth()))
    }
    assert figures["expert", "accuracy"] == 1.0
    assert figures["ann", "accuracy"] > figures["eva", "accuracy"]
    assert 0.5 < figures["raters", "Krippendorff's alpha"] < 0.9
    assert figures["raters", "overdispersion of errors"] < 1.5
    unknown = Raters().measure(Run(collected=given))
    assert len(unknown) == 2
    assert issubclass(ApplyVotes, Curator)
