"""Questions about images, asked of a model that sees, and that misbehaves as it is told."""

import json
import re
import threading
import time
import warnings

import numpy as np
import pytest
from chat_server import fails, says
from pydantic import ValidationError
from seeing_server import Seeing, shown, squares, text_of

from adc_core import Dataset, ImageArray, InputError, WorkError, work_context
from adc_plugins_ask import VisualQuestions


@pytest.fixture
def ask(tmp_path):
    """Asks in one folder, so that a second time goes on from the first."""

    def detect(dataset, **options):
        with work_context(tmp_path / "work"):
            return VisualQuestions(**options).detect(dataset)

    return detect


def summary(tmp_path):
    return json.loads((tmp_path / "work" / "asked.json").read_text())


def about_images(chat):
    """The requests that show an image."""
    return [one for one in chat.requests if not isinstance(one["messages"][-1]["content"], str)]


def judged(found):
    """What was found, without what this run spent."""
    return found.replace(notes=())


def f1(found, mask):
    hit = (found.flagged & mask).sum()
    return 2 * hit / (found.flagged.sum() + mask.sum())


def test_an_honest_model_finds_exactly_the_planted_errors(chat, dataset_of, ask, tmp_path):
    dataset = dataset_of(40, wrong=6)
    found = ask(dataset)
    np.testing.assert_array_equal(found.flagged, squares(40, 6)[2])
    assert set(found.suspicion) <= {0.0, 1.0} | set(found.suspicion[found.flagged])
    assert (found.suspicion[~found.flagged] == 0).all()
    assert found.covered.all()
    # Three classes, forty images, and eight controls, of which none is asked twice.
    assert len(chat.requests) == 3 + 40 + 5
    said = summary(tmp_path)
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


def test_refusals_are_no_evidence_and_are_not_asked_again(chat, dataset_of, ask, tmp_path):
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
        assert judged(ask(dataset_of(9, wrong=2))) == judged(found)
    assert len(chat.requests) == before
    assert summary(tmp_path)["refused"] == 3


def test_what_an_endpoint_does_not_take_is_found_out_once(chat, dataset_of, ask, tmp_path):
    seeing = Seeing()

    def model(request):
        if shown(request) is None:
            return seeing(request)
        content = request["messages"][-1]["content"]
        if "detail" in content[-1]["image_url"]:
            return fails(400, "unknown field: detail")
        if "max_tokens" in request:
            return fails(400, "use max_completion_tokens")
        if "temperature" in request:
            return fails(400, "temperature: only the default (1) value is supported")
        return seeing(request)

    chat.model = model
    found = ask(dataset_of(12, wrong=2), questions=0)
    np.testing.assert_array_equal(found.flagged, squares(12, 2)[2])
    assert len(chat.requests) == 12 + 3 + 5
    # A second run knows it from the transcript.
    ask(dataset_of(15, wrong=2), questions=0)
    asked = len(chat.requests) - (12 + 3 + 5)
    assert not any("max_tokens" in one for one in chat.requests[-asked:])


def test_a_pause_holds_back_all_who_ask(chat, dataset_of, ask):
    seeing, lock, times, paused = Seeing(), threading.Lock(), [], []

    def model(request):
        with lock:
            times.append(time.monotonic())
            if len(times) == 10:
                paused.append(times[-1])
                return fails(429, "slow down", Retry_After="1")
        return seeing(request)

    chat.model = model
    found = ask(dataset_of(30, wrong=3), questions=0, max_concurrent_requests=4)
    assert found.covered.all()
    # Those under way when the pause began may arrive late; then nobody asks for its length.
    gaps = np.diff([one for one in times if one >= paused[0]])
    assert gaps.max() > 0.9


def test_a_wrong_key_stops_at_once_and_names_its_variable(chat, dataset_of, ask, monkeypatch):
    monkeypatch.setenv("ADC_VLM_API_KEY", "sk-not-this")
    chat.model = lambda _: fails(401, "invalid key sk-not-this")
    with pytest.raises(InputError) as raised:
        ask(dataset_of(9), questions=0)
    assert "check ADC_VLM_API_KEY" in str(raised.value)
    assert "sk-not-this" not in str(raised.value)
    assert len(chat.requests) == 1


def test_a_server_that_fails_for_a_moment_is_asked_again(chat, dataset_of, ask):
    chat.script(*[fails(500, "busy", Retry_After="0")] * 3)
    assert ask(dataset_of(6), questions=0).covered.all()


def test_streams_and_missing_counts(chat, dataset_of, ask, tmp_path):
    chat.script(chat.streams('{"answers": ["yes"]}'))
    seeing = Seeing(usage=None)
    chat.model = seeing
    options = {"price_in": 1.0, "price_out": 2.0}
    ask(dataset_of(6), questions=0, **options)
    # The stream tells seven tokens in and three out; nobody else tells any.
    assert summary(tmp_path)["cost"] == pytest.approx((7 * 1 + 3 * 2) / 1e6)


def test_a_budget_stops_before_it_is_exceeded_and_nothing_is_paid_twice(
    chat, dataset_of, ask, tmp_path
):
    prices = {"price_in": 1000.0, "price_out": 0.0}  # .9 a request
    dataset = dataset_of(40, wrong=4)
    with pytest.raises(InputError, match=r"all 40 images cost about 36, more than max_cost 10"):
        ask(dataset, questions=0, max_cost=10, **prices)
    assert len(chat.requests) == 3
    with pytest.warns(UserWarning, match="26 of 40 images not asked about: the budget is spent"):
        found = ask(dataset, questions=0, max_cost=10, partial=True, **prices)
    assert len(chat.requests) == 3 + 11  # 9.9 and not 10.8
    assert found.covered.sum() == 14
    found = ask(dataset, questions=0, max_cost=100, **prices)
    np.testing.assert_array_equal(found.flagged, squares(40, 4)[2])
    bodies = [json.dumps(one, sort_keys=True) for one in chat.requests]
    assert len(set(bodies)) == len(bodies)
    assert summary(tmp_path)["cost"] == pytest.approx((26 + 5) * 0.9)


def test_a_cost_needs_prices():
    with pytest.raises(ValidationError, match="set price_in and price_out, or max_requests"):
        VisualQuestions(max_cost=1)


def test_a_line_that_a_kill_cut_short_is_asked_again(chat, dataset_of, ask, tmp_path):
    first = ask(dataset_of(9, wrong=2), questions=0)
    path = tmp_path / "work" / "turns.jsonl"
    text = path.read_text()
    path.write_text(text[: len(text) - len(text.splitlines()[-1]) // 2])
    before = len(chat.requests)
    assert judged(ask(dataset_of(9, wrong=2), questions=0)) == judged(first)
    assert len(chat.requests) == before + 1


def test_the_same_image_twice_is_asked_about_once(chat, ask):
    images, labels, _ = squares(6)
    twice = Dataset(
        labels=np.tile(labels, 2),
        classes=("sweater", "shawl", "vest"),
        images=ImageArray(np.concatenate([images, images])),
    )
    found = ask(twice, questions=0)
    assert len(about_images(chat)) == 6 + 5
    np.testing.assert_array_equal(found.suspicion[:6], found.suspicion[6:])


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    chat, dataset_of, ask, tmp_path, monkeypatch
):
    monkeypatch.setenv("ADC_VLM_API_KEY", "sk-secret-of-mine")
    chat.script(says('{"answers": ["yes"]} sk-secret-of-mine'))
    ask(dataset_of(6), questions=0)
    assert all(one["Authorization"] == "Bearer sk-secret-of-mine" for one in chat.headers)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"sk-secret-of-mine" not in path.read_bytes(), path


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


def test_images_are_shown_large_enough_and_no_larger_than_asked(chat, dataset_of, ask):
    ask(dataset_of(3), questions=0)
    assert set(chat.model.sizes) == {(224, 224)}
    images = np.zeros((2, 300, 600, 3), np.uint8)
    images[..., 0] = 220
    images[1, 0, 0] = 1
    large = Dataset(labels=[0, 0], classes=("sweater", "shawl"), images=ImageArray(images))
    ask(large, questions=0, send_size=400)
    assert chat.model.sizes[-1] == (400, 200)


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


def test_no_title_name_or_address_is_sent(chat, ask, tmp_path):
    import pyarrow as pa

    images, labels, _ = squares(6)
    dataset = Dataset(
        ids=[f"IMG_secret_{n}" for n in range(6)],
        labels=labels,
        classes=("sweater", "shawl", "vest"),
        images=ImageArray(images),
        sources=pa.table({"title": ["my holiday"] * 6, "url": ["http://a.example/x.jpg"] * 6}),
    )
    ask(dataset)
    said = json.dumps(chat.requests)
    assert not re.search("IMG_secret|holiday|example", said)


@pytest.fixture
def elsewhere(monkeypatch, chat):
    """An endpoint beyond the own network, which nobody reaches."""
    monkeypatch.setenv("ADC_VLM_BASE_URL", "https://models.example.com/v1")


@pytest.mark.usefixtures("elsewhere")
def test_nothing_is_sent_elsewhere_without_a_bound(dataset_of, ask):
    with pytest.raises(InputError) as raised:
        ask(dataset_of(3))
    assert str(raised.value) == (
        "models.example.com may charge for 3 images: set max_cost with price_in and price_out, or "
        "max_requests"
    )


@pytest.mark.usefixtures("elsewhere")
def test_what_must_stay_here_is_not_sent_elsewhere(dataset_of, ask):
    marked = dataset_of(3, columns={"local_only": np.array([False, True, False])})
    with pytest.raises(InputError, match="the image 1 is marked local_only"):
        ask(marked, max_requests=9)


@pytest.mark.usefixtures("elsewhere")
def test_what_leaves_the_machine_is_said_before_it_does(dataset_of, ask, monkeypatch):
    def refuse(*_, **__):
        raise WorkError("no network")

    monkeypatch.setattr("adc_endpoint.image_chat.complete", refuse)
    with (
        pytest.warns(UserWarning, match="3 images, of 512 pixels at most, go to models.example"),
        pytest.raises(WorkError),
    ):
        ask(dataset_of(3), questions=0, max_requests=9)


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
    assert judged(long) == judged(found) and len(about_images(chat)) == count + 9 * 5 + 9


def test_who_declines_to_debate_leaves_the_label_as_it_was(chat, dataset_of, ask):
    seeing = Seeing()

    def model(request):
        if "You argue" in text_of(request):
            return says("I'm sorry, I can't argue about that.")
        return seeing(request)

    chat.model = model
    found = ask(dataset_of(6, wrong=2), questions=0, debate={"between": (0, 1)})
    assert judged(found) == judged(ask(dataset_of(6, wrong=2), questions=0))


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


def test_what_makes_the_questions_counts_in_the_budget(chat, dataset_of, ask):
    with pytest.raises(InputError, match="the budget is spent before all questions are made"):
        ask(dataset_of(6), max_requests=2)
    assert len(chat.requests) == 2


def test_an_estimate_takes_what_makes_the_questions_once(chat, dataset_of, ask):
    prices = {"price_in": 1000.0, "price_out": 0.0}  # .9 a request
    with pytest.raises(InputError, match=r"all 40 images cost about 38\.7, more than max_cost 10"):
        ask(dataset_of(40), max_cost=10, **prices)
    assert len(chat.requests) == 3 + 3
