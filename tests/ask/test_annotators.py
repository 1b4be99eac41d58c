"""Models as raters: letters, their probabilities, votes."""

import json

import numpy as np
import pytest
from chat_server import fails, says
from seeing_server import NAMES, Seeing, squares, text_of

from adc_core import Dataset, ImageArray, InputError, Votes, work_context
from adc_plugins_ask import Annotators, letter_probabilities
from adc_plugins_ask.enrichers.annotators import mean_of_members


@pytest.fixture
def ask(tmp_path):
    """Asks in one folder, so that a second time goes on from the first."""

    def enrich(dataset, **options):
        with work_context(tmp_path / "work"):
            return Annotators(**options).enrich(dataset)

    return enrich


def test_a_models_letters_become_votes_and_probabilities(chat, dataset_of, ask):
    enriched = ask(dataset_of(12, wrong=3))
    true = np.arange(12) % 3
    np.testing.assert_array_equal(enriched.probabilities.values.argmax(axis=1), true)
    assert enriched.probabilities.origin == "out of sample"
    np.testing.assert_array_equal(enriched.votes.label, true)
    assert enriched.votes.names == ("seer",)
    assert (enriched.columns["none"] == 0).all()


def test_no_rater_is_told_the_label(chat, ask):
    images, labels, _ = squares(6)
    asked = []
    for given in (labels, (labels + 1) % 3):
        chat.requests.clear()
        ask(Dataset(labels=given, classes=NAMES, images=ImageArray(images)))
        asked.append(sorted(map(text_of, chat.requests)))
    # The second time nothing is new: the label is no part of any question.
    assert len(asked[0]) == 6 and asked[1] == []


def test_a_bias_for_the_first_option_is_averaged_away(chat, dataset_of, ask, monkeypatch):
    chat.model = Seeing(logprobs=True, bias=1.5)
    prompts = tuple(f"Which is it, by way {n} of asking?" for n in range(9))
    true = np.arange(30) % 3
    mixed = ask(dataset_of(30), prompts=prompts).probabilities.values.argmax(axis=1)
    assert (mixed == true).mean() >= 0.9
    # Without the shuffling the same model always likes the first class best.
    monkeypatch.setattr(
        "adc_plugins_ask.enrichers.annotators.shuffled", lambda classes, *_: list(classes)
    )
    plain = ask(dataset_of(30), prompts=(*prompts[:1], "Anew?")).probabilities.values
    assert (plain.argmax(axis=1) == true).mean() < 0.9


def test_candidates_of_tokens_count_where_there_are_some(chat, dataset_of, ask):
    chat.model = Seeing(logprobs=True)
    values = ask(dataset_of(6)).probabilities.values
    own = values[np.arange(6), np.arange(6) % 3]
    # e against three ones, of which "none of these" is left out.
    np.testing.assert_allclose(own, np.e / (np.e + 2), atol=1e-6)
    assert {one["max_tokens"] for one in chat.requests} == {1}


def test_an_endpoint_without_candidates_is_asked_for_a_letter(chat, dataset_of, ask):
    seeing = Seeing()

    def model(request):
        if "logprobs" in request:
            return fails(400, "logprobs are not supported")
        return seeing(request)

    chat.model = model
    enriched = ask(dataset_of(6))
    assert len(enriched.votes) == 6
    assert len(chat.requests) == 6 + 1


def test_every_model_with_every_prompt_is_a_rater(chat, dataset_of, ask):
    enriched = ask(dataset_of(4), models=("one", "two"), prompts=("What is it?", "Which?"))
    assert enriched.votes.names == (
        "one, prompt 1",
        "one, prompt 2",
        "two, prompt 1",
        "two, prompt 2",
    )
    assert len(enriched.votes) == 16
    assert {one["model"] for one in chat.requests} == {"one", "two"}


def test_votes_of_people_stay_and_models_come_after_them(chat, dataset_of, ask):
    people = Votes(item=[0, 1], rater=[0, 1], label=[0, 1], seconds=[2.0, 3.0])
    enriched = ask(dataset_of(3, votes=people))
    assert enriched.votes.names == ("rater 1", "rater 2", "seer")
    np.testing.assert_array_equal(enriched.votes.rater, [0, 1, 2, 2, 2])
    np.testing.assert_array_equal(enriched.votes.take([0, 1]).label, [0, 1])


def test_none_and_silence_cast_no_vote(chat, dataset_of, ask):
    chat.script(
        says("D"),  # the last one, whatever the order of the others
        says("I'm sorry, I can't help with that."),
        says("I'm sorry, I can't help with that."),
        says("no letter at all"),
        says("still none"),
    )
    with pytest.warns(UserWarning, match="seer has not answered about 2 of 4 images"):
        enriched = ask(dataset_of(4))
    assert enriched.columns["none"][0] == 1
    np.testing.assert_allclose(enriched.probabilities.values[0], 1 / 3, atol=1e-6)
    assert np.isnan(enriched.columns["none"][1:3]).all()
    np.testing.assert_array_equal(enriched.votes.item, [3])


def many_classes(count):
    images, labels, _ = squares(count)
    classes = (*NAMES, *(f"class{n}" for n in range(25)))
    return {"labels": labels, "classes": classes, "images": ImageArray(images)}


def test_of_many_classes_the_likely_ones_are_offered(chat, ask):
    likely = np.full((4, 28), 0.01)
    likely[np.arange(4), np.arange(4) % 3] = 1
    likely[:, 20:27] = 0.2
    enriched = ask(Dataset(**many_classes(4), columns={"class_similarity": likely}))
    np.testing.assert_array_equal(enriched.votes.label, np.arange(4) % 3)
    options = [line for line in text_of(chat.requests[0]).splitlines() if line[1:3] == ". "]
    assert len(options) == 11 and options[-1].endswith("none of these")


def test_too_many_classes_without_a_word_on_the_likely_ones(chat, ask):
    with pytest.raises(InputError, match="28 classes are too many to offer: add probabilities"):
        ask(Dataset(**many_classes(4)))


def test_nobody_answers(chat, dataset_of, ask):
    chat.model = lambda _: says("")
    with (
        pytest.warns(UserWarning, match="has not answered about 3 of 3"),
        pytest.raises(InputError, match="no model answered about any image"),
    ):
        ask(dataset_of(3))


TOP = [
    [["B", -0.1], [" B", -3.0], ["A", -4.0], ["The", -4.5]],
    [["A", -1.2], ["C", -1.3], ["D", -2.0]],
    [["Sure", -0.2], ["A", -2.0]],
]


def test_letters_of_candidates_are_summed_and_made_one():
    first, second, third = (letter_probabilities(one, 4) for one in TOP)
    np.testing.assert_allclose(first, [0.018825042171250535, 0.9811749578287494, 0, 0], atol=1e-15)
    np.testing.assert_allclose(
        second, [0.42477881239871174, 0, 0.3843557638472315, 0.19086542375405674], atol=1e-15
    )
    assert third is None


MEMBERS = [
    [
        [0.9, 0.05, 0.03, 0.02],
        [0.2, 0.7, 0.05, 0.05],
        [0.1, 0.1, 0.1, 0.7],
        [0.05, 0.9, 0.03, 0.02],
        [0.4, 0.3, 0.2, 0.1],
    ],
    [
        [0.8, 0.1, 0.05, 0.05],
        [0.1, 0.85, 0.03, 0.02],
        [0.0, 0.0, 0.1, 0.9],
        [0.5, 0.4, 0.05, 0.05],
        [np.nan] * 4,
    ],
    [
        [0.95, 0.02, 0.02, 0.01],
        [0.3, 0.6, 0.05, 0.05],
        [0.2, 0.0, 0.0, 0.8],
        [0.02, 0.95, 0.02, 0.01],
        [0.35, 0.35, 0.2, 0.1],
    ],
]


def test_the_mean_is_of_those_that_answered():
    mean = mean_of_members(np.array(MEMBERS))
    expected = [
        [0.8833333333333334, 0.05666666666666667, 0.03333333333333333, 0.02666666666666667],
        [0.2, 0.7166666666666667, 0.043333333333333335, 0.04],
        [0.1, 0.03333333333333333, 0.06666666666666667, 0.8],
        [0.19, 0.75, 0.03333333333333333, 0.02666666666666667],
        [0.375, 0.325, 0.2, 0.1],
    ]
    np.testing.assert_allclose(mean, expected, atol=1e-12)
    np.testing.assert_array_equal(mean_of_members(np.array(MEMBERS[:1])), MEMBERS[0])
    assert np.isnan(mean_of_members(np.full((2, 1, 3), np.nan))).all()


def test_the_transcript_has_no_image(chat, dataset_of, ask, tmp_path):
    ask(dataset_of(3))
    text = (tmp_path / "work" / "turns.jsonl").read_text()
    assert "base64" not in text
    assert len(json.loads(text.splitlines()[0])["question"]["images"][0]["sha256"]) == 64
