"""The key of a question, the form of a request, prices and budgets."""

import threading

import pytest
from chat_server import fails, says

from adc_core import InputError
from adc_endpoint import (
    Budget,
    ImageChat,
    Prices,
    Question,
    SentImage,
    SharedPause,
    ShownImage,
    SpentError,
    Transcript,
)
from adc_endpoint.request_form import RequestForm

SHA = "6be37a49113925f866d911750beb8326b92d8877c731fb301e2011d49e2a3548"


def question(**other):
    parts = {
        "model": "m-1",
        "temperature": 0.0,
        "system": "s",
        "prompt": "Is there a sweater?\u2026",
        "images": (ShownImage(SHA, 512),),
        "options": ("A", "B"),
        "probabilities": True,
    }
    return Question(**(parts | other))


def test_the_key_is_that_of_the_reference():
    assert question().key == "61ef1706e48e314513326bc6a2db6e16a7a2cfc2933fce02840da17dc6ab38a4"
    assert [
        question(draw=1).key[:8],
        question(temperature=None).key[:8],
        question(images=(ShownImage(SHA, 768),)).key[:8],
        question(model="m-2").key[:8],
    ] == ["ae997190", "06acf4b4", "9c76ba01", "ec07c636"]


def test_only_what_is_told_has_a_cost():
    prices = Prices(0.15, 0.6)
    costs = [prices.cost(*usage) for usage in ((900, 12), (910, None), (905, 11))]
    assert costs[1] is None
    assert costs[0] + costs[2] == pytest.approx(0.00028455)
    assert Prices(0.15).cost(900, 12) is None


def test_a_budget_counts_those_under_way():
    budget = Budget(max_cost=1.0)
    budget.begin()
    budget.end(0.3)
    budget.begin()
    budget.begin()
    with pytest.raises(SpentError):  # .3, and three times .3 under way
        budget.begin()
    budget.end(0.1)
    budget.begin()
    assert budget.spent == pytest.approx(0.4) and budget.requests == 4
    few = Budget(max_requests=1)
    few.begin()
    with pytest.raises(SpentError):
        few.begin()
    assert few.exhausted


def test_parts_are_given_up_in_turn_but_the_named_ones_first():
    form = RequestForm()
    assert form.give_up(form.without, "temperature is not supported")
    assert str(form) == "temperature"
    assert form.give_up(form.without, "bad request")
    assert str(form) == "detail+temperature"
    # Another thread's refusal of a request that left out less is no news.
    assert form.give_up(frozenset(), "bad request")
    assert str(form) == "detail+temperature"
    for _ in range(3):
        assert form.give_up(form.without, "bad request")
    assert not form.give_up(form.without, "bad request")
    assert str(RequestForm(str(form))) == str(form)


def test_without_a_role_the_system_speaks_before_the_question():
    content = [{"type": "text", "text": "what?"}]
    form = RequestForm("system+max_tokens")
    _, messages, parameters = form.request(
        "be brief", content, max_tokens=9, temperature=0.5, candidates=5
    )
    assert messages == [
        {"role": "user", "content": [{"type": "text", "text": "be brief"}, *content]}
    ]
    assert parameters == {
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "logprobs": True,
        "top_logprobs": 5,
    }


@pytest.fixture
def image():
    return SentImage(ShownImage(SHA, 512), lambda: "data:image/jpeg;base64,AAAA")


def test_text_comes_first_and_an_answer_is_kept(chat, image, tmp_path):
    chat.script(says("yes", usage=(10, 2)))
    for _ in range(2):
        model = ImageChat("m", chat.base_url, Transcript(tmp_path / "t.jsonl"), "be brief")
        assert model.ask("What?", image).answer == "yes"
    (request,) = chat.requests
    assert request["messages"] == [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/jpeg;base64,AAAA", "detail": "low"},
                },
            ],
        },
    ]


def test_an_endpoint_that_takes_nothing_is_named(chat, image, tmp_path):
    chat.model = lambda _: fails(400, "images are not supported")
    model = ImageChat("m", chat.base_url, Transcript(tmp_path / "t.jsonl"), "be brief")
    with pytest.raises(InputError, match="images are not supported; check that the model takes"):
        model.ask("What?", image)
    assert len(chat.requests) == 6


def test_a_transcript_takes_turns_from_many_threads(chat, tmp_path):
    chat.model = lambda request: says(request["messages"][-1]["content"][0]["text"])
    transcript = Transcript(tmp_path / "t.jsonl")
    model = ImageChat("m", chat.base_url, transcript, "s", prices=Prices(1.0, 1.0))

    def ask(number):
        picture = SentImage(ShownImage(f"{number:064}", 64), lambda: "data:image/jpeg;base64,AA")
        assert model.ask(f"{number}?", picture).answer == f"{number}?"

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Transcript(tmp_path / "t.jsonl").usage == transcript.usage
    assert (transcript.usage.answers, transcript.usage.tokens_in) == (20, 2000)


def test_a_pause_is_the_longest_that_was_asked_for():
    pause = SharedPause()
    pause.wait()
    pause.extend(1)
    pause.extend(0.01)
    assert pause._until > 0
    with pytest.raises(TimeoutError):
        _within(0.3, pause.wait)


def _within(seconds, work):
    done = threading.Event()
    threading.Thread(target=lambda: (work(), done.set()), daemon=True).start()
    if not done.wait(seconds):
        raise TimeoutError
