"""The ladder of forms, re-asking, and the memory of what was asked."""

import json

import pytest

from adc_core.errors import InputError, WorkError
from adc_endpoint import ChatModel, Prices, Transcript
from adc_plugins_search.llm.answer_schemas import GroupsAnswer, WordsAnswer

GOOD = '{"options": ["ash", "beige"]}'
FORMS = ["strict schema", "schema", "json", "text"]


@pytest.fixture
def model(chat, tmp_path):
    def build(**options):
        turns = Transcript(tmp_path / "turns.jsonl")
        return ChatModel("tiny", chat.base_url, turns, "You help.", **options)

    return build


def form_of(request):
    described = request.get("response_format")
    if described is None:
        return "text"
    if described["type"] == "json_object":
        return "json"
    return "strict schema" if described["json_schema"].get("strict") else "schema"


def forms(chat):
    return [form_of(request) for request in chat.requests]


def test_the_request_of_the_first_rung(chat, model):
    chat.script(chat.says(GOOD))
    assert model(temperature=0.2).complete("Colours?", WordsAnswer).value.options == [
        "ash",
        "beige",
    ]
    assert chat.requests == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "You help."},
                {
                    "role": "user",
                    "content": 'Colours?\nAnswer with JSON only: {"options": ["…", "…"]}',
                },
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "words",
                    "strict": True,
                    "schema": {
                        "type": "object",
                        "properties": {"options": {"type": "array", "items": {"type": "string"}}},
                        "required": ["options"],
                        "additionalProperties": False,
                    },
                },
            },
            "temperature": 0.2,
            "stream": False,
        }
    ]


def test_schemas_keep_to_what_strict_modes_understand(chat, model):
    chat.script(chat.says('{"groups": [{"name": "x", "options": ["y"]}]}'))
    model().complete("Groups?", GroupsAnswer)
    schema = chat.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["$defs"]["Group"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "options": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "options"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("takes", FORMS)
def test_the_ladder_goes_down_to_what_the_endpoint_takes_and_stays_there(chat, model, takes):
    def endpoint(request):
        if FORMS.index(form_of(request)) < FORMS.index(takes):
            return chat.fails(400, "response_format is not supported")
        return chat.says(GOOD)

    chat.model = endpoint
    tiny = model()
    tiny.complete("Colours?", WordsAnswer)
    assert forms(chat) == FORMS[: FORMS.index(takes) + 1]
    tiny.complete("Materials?", WordsAnswer)
    model().complete("Patterns?", WordsAnswer)  # another process would read the same file
    assert forms(chat)[-2:] == [takes, takes]
    assert len(chat.requests) == FORMS.index(takes) + 3


def test_what_no_rung_can_fix_is_said(chat, model):
    chat.model = lambda _: chat.fails(400, "the context is too long")
    with pytest.raises(InputError) as raised:
        model().complete("Colours?", WordsAnswer)
    assert str(raised.value) == (
        f"{chat.host} answered 400: the context is too long; check the model and the options"
    )
    assert forms(chat) == FORMS


def test_a_schema_that_is_silently_ignored(chat, model):
    """The first answer breaks the schema, so the endpoint is not trusted with schemas again."""
    chat.script(chat.says('{"colours": ["ash"]}'), chat.says(GOOD), chat.says(GOOD))
    tiny = model()
    assert tiny.complete("Colours?", WordsAnswer).value.options == ["ash", "beige"]
    tiny.complete("More?", WordsAnswer)
    assert forms(chat) == ["strict schema", "json", "json"]
    assert chat.requests[1]["messages"][2:] == [
        {"role": "assistant", "content": '{"colours": ["ash"]}'},
        {
            "role": "user",
            "content": "That cannot be used: options: Field required. Answer again with JSON only: "
            '{"options": ["…", "…"]}',
        },
    ]


@pytest.mark.parametrize(
    "text", ["```json\n" + GOOD + "\n```", "Here: " + GOOD, "1. ash\n2. beige", "- ash\n- beige"]
)
def test_fences_prose_and_lists_cost_no_second_question(chat, model, text):
    chat.script(chat.says(text))
    assert model().complete("Colours?", WordsAnswer).value.options == ["ash", "beige"]


def test_three_useless_answers_are_enough(chat, model, tmp_path):
    chat.model = lambda _: chat.says("I like all colours.")
    with pytest.raises(WorkError) as raised:
        model().complete("Colours?", WordsAnswer)
    assert str(raised.value) == (
        "tiny gave 3 answers that cannot be used (the last: there is no JSON and no list in it): "
        f"try another model; they are kept in {tmp_path / 'turns.jsonl'}"
    )
    assert forms(chat) == ["strict schema", "json", "text"]
    assert [len(request["messages"]) for request in chat.requests] == [2, 4, 4]
    chat.model = lambda _: chat.says(GOOD)
    assert model().complete("Colours?", WordsAnswer).value.options == ["ash", "beige"]


def test_refusals_and_silence_end_in_one_line_and_are_kept(chat, model, tmp_path):
    chat.script(
        chat.says(None, refusal="I cannot help."),
        chat.says("", finish="content_filter"),
        chat.says(" \n"),
        chat.says(GOOD),
    )
    for message in (
        "tiny refuses to answer: I cannot help.; change the brief, or the model",
        "tiny refuses to answer: blocked by its content filter; change the brief, or the model",
        "tiny gave an empty answer: try another model",
    ):
        with pytest.raises(WorkError) as raised:
            model().complete("Colours?", WordsAnswer)
        assert str(raised.value) == message
    assert model().complete("Colours?", WordsAnswer).value.options == ["ash", "beige"]
    assert set(forms(chat)) == {"strict schema"}
    kept = list(map(json.loads, (tmp_path / "turns.jsonl").read_text().splitlines()))
    assert [turn.get("fault") for turn in kept] == ["refused", "refused", "empty", None]
    assert kept[0]["answer"] == "I cannot help."


def test_nothing_is_an_answer_only_where_it_may_be(chat, model):
    chat.script(chat.says('{"options": []}'), chat.says(GOOD))
    assert model().complete("Others?", WordsAnswer, or_nothing=True).value.options == []
    assert model().complete("Colours?", WordsAnswer).value.options == ["ash", "beige"]
    chat.script(chat.says('{"options": []}'), chat.says(GOOD))
    assert model().complete("Patterns?", WordsAnswer).value.options == ["ash", "beige"]
    assert "That cannot be used: it holds no words." in chat.prompts[-1]


def test_nothing_is_asked_twice(chat, model):
    chat.script(chat.says(GOOD))
    first = model().complete("Colours?", WordsAnswer)
    assert model().complete("Colours?", WordsAnswer) == first
    assert len(chat.requests) == 1


def test_another_question_model_or_temperature_is_asked(chat, model, tmp_path):
    chat.model = lambda _: chat.says(GOOD)
    model().complete("Colours?", WordsAnswer)
    model(temperature=0).complete("Colours?", WordsAnswer)
    turns = Transcript(tmp_path / "turns.jsonl")
    ChatModel("other", chat.base_url, turns, "You help.").complete("Colours?", WordsAnswer)
    ChatModel("tiny", chat.base_url, turns, "You do not help.").complete("Colours?", WordsAnswer)
    assert len(chat.requests) == 4


def test_a_cut_answer_says_so_also_when_it_is_remembered(chat, model):
    chat.script(chat.says('{"options": ["ash", "bei', finish="length"))
    for _ in range(2):
        reply = model().complete("Colours?", WordsAnswer)
        assert (reply.value.options, reply.cut) == (["ash"], True)
    assert len(chat.requests) == 1


def test_every_turn_is_kept_with_what_it_cost(chat, model, tmp_path):
    chat.script(
        chat.says("no list", usage=(1000, 10)),
        chat.says(GOOD, usage=(2000, 30)),
        chat.says(GOOD, usage=None),
    )
    tiny = model(temperature=0.5, prices=Prices(3.0, 15.0))
    tiny.complete("Colours?", WordsAnswer)
    tiny.complete("Materials?", WordsAnswer)
    first, second, third = map(json.loads, (tmp_path / "turns.jsonl").read_text().splitlines())
    assert first.pop("date").endswith("+00:00")
    assert first == {
        "base_url": chat.base_url,
        "question": {
            "model": "tiny",
            "temperature": 0.5,
            "system": "You help.",
            "prompt": "Colours?",
        },
        "form": "strict schema",
        "answer": "no list",
        "fault": "there is no JSON and no list in it",
        "tokens_in": 1000,
        "tokens_out": 10,
        "cost": pytest.approx(0.00315),
    }
    assert (second["form"], second["answer"], "fault" in second) == ("json", GOOD, False)
    assert not {"tokens_in", "cost"} & set(third)
    assert str(Transcript(tmp_path / "turns.jsonl").usage) == (
        "3 answers, 3,000 tokens in, 40 out (1 of them uncounted), cost 0.0096"
    )


def test_without_prices_there_is_no_cost(chat, model, tmp_path):
    chat.script(chat.says(GOOD))
    model().complete("Colours?", WordsAnswer)
    assert str(Transcript(tmp_path / "turns.jsonl").usage) == "1 answer, 100 tokens in, 20 out"


def test_a_line_that_a_kill_cut_short_is_asked_again(chat, model, tmp_path):
    chat.model = lambda _: chat.says(GOOD)
    model().complete("Colours?", WordsAnswer)
    model().complete("Materials?", WordsAnswer)
    path = tmp_path / "turns.jsonl"
    whole = path.read_text()
    path.write_text(whole[:-40])
    model().complete("Colours?", WordsAnswer)
    model().complete("Materials?", WordsAnswer)
    assert len(chat.requests) == 3
    model().complete("Materials?", WordsAnswer)
    assert len(chat.requests) == 3


def test_the_key_is_nowhere(chat, model, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("ADC_LLM_API_KEY", "sk-very-secret")
    chat.script(
        chat.says("your key is sk-very-secret"),
        chat.says(GOOD),
        chat.fails(401, "wrong key: sk-very-secret"),
    )
    tiny = model()
    tiny.complete("Colours?", WordsAnswer)
    with pytest.raises(InputError) as raised:
        tiny.complete("Materials?", WordsAnswer)
    assert str(raised.value) == (f"{chat.host} answered 401: wrong key: …; check ADC_LLM_API_KEY")
    assert chat.headers[0]["Authorization"] == "Bearer sk-very-secret"
    kept = (tmp_path / "turns.jsonl").read_text()
    assert "your key is …" in kept
    assert "secret" not in kept + "".join(capfd.readouterr())
