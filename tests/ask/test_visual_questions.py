"""Questions about images, asked of a model that sees, and that misbehaves as it is told."""

import json
import re
import warnings

import numpy as np
import pytest
from chat_server import says
from seeing_server import Seeing, about_images, shown, squares, text_of

from adc_core import Dataset, ImageArray, InputError, work_context
from adc_plugins_ask import VisualQuestions


def f1(found, mask):
    hit = (found.flagged & mask).sum()
    return 2 * hit / (found.flagged.sum() + mask.sum())


def test_an_honest_model_finds_exactly_the_planted_errors(chat, dataset_of, ask, summary):
    dataset = dataset_of(40, wrong=6)
    found = ask(dataset)
    np.testing.assert_array_equal(found.flagged, squares(40, 6)[2])
    assert set(found.suspicion) <= {0.0, 1.0} | set(found.suspicion[found.flagged])
    assert (found.suspicion[~found.flagged] == 0).all()
    assert found.covered.all()
    # Three classes, forty images, and eight controls, of which none is asked twice.
    assert len(chat.requests) == 3 + 40 + 5
    said = summary()
    assert (said["images"], said["control_yes"], said["requests"]) == (40, 0.0, 48)
    assert found.notes == (
        f"seer at {chat.host} was asked about 40 of 40 images, 5 questions each, 48 requests in "
        "this run; 0 unsure, 0 unreadable, 0 images refused",
        "it said yes to 0 of 5 questions about a class that is not the label",
    )


def test_more_questions_bear_more_lies(chat, dataset_of, ask):
    mask = squares(120, 18)[2]
    chat.model = Seeing(lies=0.1)
    assert f1(ask(dataset_of(120, wrong=18)), mask) >= 0.9
    assert f1(ask(dataset_of(120, wrong=18), questions=0), mask) < 0.9


def test_one_who_always_says_yes_is_found_out(chat, dataset_of, ask, tmp_path):
    chat.model = Seeing(always="yes")
    with pytest.warns(UserWarning, match="says yes to 100% of .* its yes proves little"):
        found = ask(dataset_of(12), questions=0)
    assert (found.suspicion == 0).all()
    path = tmp_path / "questions.yaml"
    path.write_text(
        "questions:\n"
        + "".join(
            f"  {name}:\n  - {{text: 'Is there a {name}?'}}\n"
            f"  - {{text: 'Is it a {other} rather?', expected: 'no'}}\n"
            for name, other in (("sweater", "shawl"), ("shawl", "vest"), ("vest", "sweater"))
        )
    )
    with pytest.warns(UserWarning, match="proves little"):
        found = ask(dataset_of(12), questions_file=path)
    assert (found.suspicion == 0.5).all() and not found.flagged.any()


FORMS = {
    "fenced": lambda answers: f"```json\n{json.dumps({'answers': answers})}\n```",
    "numbered": lambda answers: "\n".join(f"{n}. {a}" for n, a in enumerate(answers, 1)),
    "shuffled": lambda answers: "\n".join(
        f"{n}) {answers[n - 1]}" for n in reversed(range(1, len(answers) + 1))
    ),
    "with a note": lambda answers: "\n".join(
        [f"Q{n}. {a.title()}." for n, a in enumerate(answers, 1)] + ["", "Note: I looked twice."]
    ),
    "thinking": lambda answers: f"<think>yes? no?</think>{json.dumps(answers)}",
    "too short": lambda answers: json.dumps({"answers": answers[:-1]}),
    "prose": lambda answers: "It shows some cloth.",
    "nothing": lambda answers: "",
}


@pytest.mark.parametrize("form", FORMS)
def test_answers_are_read_in_whatever_form_they_come(chat, dataset_of, ask, form):
    chat.model = Seeing(text=FORMS[form])
    found = ask(dataset_of(9, wrong=2))
    np.testing.assert_array_equal(found.flagged, squares(9, 2)[2])
    unreadable = form in ("too short", "prose", "nothing")
    # Each of five questions is asked again, alone and once, where nothing could be read.
    assert len(chat.requests) == 3 + 9 * (6 if unreadable else 1) + 5


def test_refusals_are_no_evidence_and_are_not_asked_again(chat, dataset_of, ask, summary):
    seeing = Seeing()
    refusals = [
        says(None, refusal="I will not look at that."),
        says("", finish="content_filter"),
        says("I'm sorry, but I can't help with images of people."),
    ]

    def model(request):
        if shown(request) is None or not refusals:
            return seeing(request)
        return refusals.pop(0)

    chat.model = model
    with pytest.warns(UserWarning, match="3 of 9 images refused by the model"):
        found = ask(dataset_of(9, wrong=2))
    assert (~found.covered).sum() == 3
    assert np.isnan(found.suspicion[~found.covered]).all()
    assert not found.flagged[~found.covered].any()
    before = len(chat.requests)
    with pytest.warns(UserWarning, match="refused"):
        assert ask(dataset_of(9, wrong=2)).replace(notes=()) == found.replace(notes=())
    assert len(chat.requests) == before
    assert summary()["refused"] == 3


def test_as_many_at_a_time_as_one_likes_give_the_same(chat, dataset_of, tmp_path):
    chat.model = Seeing(lies=0.3)
    results, counts = [], []
    for number in (1, 8):
        with work_context(tmp_path / str(number)):
            results.append(
                VisualQuestions(max_concurrent_requests=number).detect(dataset_of(30, wrong=5))
            )
        counts.append(len(chat.requests))
    assert results[0] == results[1]
    assert counts[1] == 2 * counts[0]


def test_a_model_is_asked_which_class_it_is_instead(chat, dataset_of, ask):
    found = ask(dataset_of(30, wrong=5), suggest=True)
    mask = squares(30, 5)[2]
    np.testing.assert_array_equal(found.suggested_labels[mask], np.flatnonzero(mask) % 3)
    assert (found.suggested_labels[~mask] == -1).all()


def test_questions_are_written_edited_and_given_again(chat, dataset_of, ask, tmp_path):
    ask(dataset_of(6))
    text = (tmp_path / "work" / "questions.yaml").read_text()
    assert "Is there a sweater in this image?" in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("Is the cloth red?", "Is the cloth blue?"))
    before = len(chat.requests)
    found = ask(dataset_of(6), questions_file=path)
    # Only sweaters have other questions; nobody is asked to make any.
    assert len(chat.requests) == before + 2
    np.testing.assert_allclose(found.suspicion[[0, 3]], 0.2)
    path.write_text("questions:\n  sweater: [{text: 'Is it?'}]\n")
    with pytest.raises(InputError, match="no questions for the class shawl"):
        ask(dataset_of(6), questions_file=path)


def test_definitions_are_said(chat, dataset_of, ask):
    ask(dataset_of(3), definitions={"vest": "without sleeves"})
    asked = json.dumps(chat.requests)
    assert "Is there a vest (without sleeves) in this image?" in asked
    assert "By vest is meant: without sleeves." in asked
    with pytest.raises(InputError, match="'coat' is no class"):
        ask(dataset_of(3), definitions={"coat": "long"})


def test_an_image_that_cannot_be_decoded_is_not_covered(chat, ask, tmp_path):
    from PIL import Image

    from adc_core import ImageFiles

    images, labels, _ = squares(3)
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nhalf of it")
    dataset = Dataset(
        labels=labels,
        classes=("sweater", "shawl", "vest"),
        images=ImageFiles(tmp_path, [f"{n}.png" for n in range(3)]),
    )
    with pytest.warns(UserWarning, match="1 of 3 images undecodable"):
        found = ask(dataset, questions=0)
    assert found.covered.tolist() == [True, False, True]


def test_what_has_no_image_or_model_is_said_in_one_line(chat, dataset_of, ask, monkeypatch):
    with pytest.raises(InputError, match="the dataset has none"):
        ask(Dataset(labels=[0, 1]))
    monkeypatch.delenv("ADC_VLM_MODEL")
    with pytest.raises(InputError, match="set the option model or ADC_VLM_MODEL"):
        ask(dataset_of(3))


def test_text_models_variables_serve_where_there_are_no_others(chat, dataset_of, ask, monkeypatch):
    for what in ("MODEL", "BASE_URL"):
        monkeypatch.setenv(f"ADC_LLM_{what}", {"MODEL": "tiny", "BASE_URL": chat.base_url}[what])
        monkeypatch.delenv(f"ADC_VLM_{what}")
    ask(dataset_of(3), questions=0)
    assert {one["model"] for one in chat.requests} == {"tiny"}


def test_a_question_that_few_answer_as_expected_is_named(chat, ask):
    images, labels, _ = squares(120)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chat.model = Seeing(always="no")
        ask(
            Dataset(labels=labels, classes=("sweater", "shawl", "vest"), images=ImageArray(images)),
            questions=0,
        )
    assert sum("edit the question" in str(one.message) for one in caught) == 3


def test_a_debate_settles_what_the_answers_leave_open(chat, dataset_of, ask, tmp_path):
    path = tmp_path / "questions.yaml"
    # One true question and one that no image answers as expected: half of all answers fit.
    path.write_text(
        "questions:\n"
        + "".join(
            f"  {name}:\n  - {{text: 'Is there a {name}?'}}\n  - {{text: 'Is there a hat?'}}\n"
            for name in ("sweater", "shawl", "vest")
        )
    )
    mask = squares(12, 3)[2]
    dataset = dataset_of(12, wrong=3)
    before = ask(dataset, questions_file=path)
    assert set(before.suspicion[~mask]) == {0.5}
    count = len(about_images(chat))
    found = ask(dataset, questions_file=path, debate={"between": (0.3, 0.7)})
    np.testing.assert_array_equal(found.suspicion, mask)
    # Nine right labels were open; two speeches of each side, and a judge.
    speeches = about_images(chat)[count:]
    assert len(speeches) == 9 * 5
    begins = [text_of(one) for one in speeches if "Said so far" not in text_of(one)]
    sides = {
        re.search(r"You argue that the claim is (\w+)", one)[1] for one in begins if "You" in one
    }
    assert sides == {"right", "wrong"}
    long = ask(dataset, questions_file=path, debate={"between": (0.3, 0.7), "rounds": 1})
    assert long.replace(notes=()) == found.replace(notes=())
    assert len(about_images(chat)) == count + 9 * 5 + 9


def test_who_declines_to_debate_leaves_the_label_as_it_was(chat, dataset_of, ask):
    seeing = Seeing()

    def model(request):
        if "You argue" in text_of(request):
            return says("I'm sorry, I can't argue about that.")
        return seeing(request)

    chat.model = model
    found = ask(dataset_of(6, wrong=2), questions=0, debate={"between": (0, 1)})
    assert found.replace(notes=()) == ask(dataset_of(6, wrong=2), questions=0).replace(notes=())


def test_questions_that_tell_nothing_are_dropped(chat, dataset_of, ask, tmp_path):
    path = tmp_path / "questions.yaml"
    path.write_text(
        "questions:\n"
        + "".join(
            f"  {name}:\n  - {{text: 'Is there a {name}?'}}\n"
            "  - {text: 'Is there a hat?', expected: 'no'}\n"
            for name in ("sweater", "shawl", "vest")
        )
    )
    with pytest.warns(
        UserWarning, match="'Is there a hat.' is not asked: it is answered no only 0%"
    ):
        found = ask(dataset_of(30, wrong=3), questions_file=path, probe=6)
    asked = (tmp_path / "work" / "questions.yaml").read_text()
    assert "hat" not in asked and asked.count("text:") == 3
    # With the useless question, a wrong label has one of two answers that fit, and a tie is right.
    np.testing.assert_array_equal(found.flagged, squares(30, 3)[2])
    assert not ask(dataset_of(30, wrong=3), questions_file=path).flagged.any()


def test_a_class_that_comes_later_gets_questions_too(chat, dataset_of, ask):
    """After answers about images the model is asked for texts again, in their own form."""
    dataset = dataset_of(9)
    ask(dataset)
    found = ask(dataset, definitions={"vest": "without sleeves"})
    assert found.covered.all()
