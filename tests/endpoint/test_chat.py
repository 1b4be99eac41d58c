"""One question over a real socket, to a server that misbehaves."""

import time

import pytest
from dripping_server import dripping_server

from adc_core.errors import InputError, WorkError
from adc_endpoint import Completion, Endpoint, UnsupportedRequestError, complete

MESSAGES = [{"role": "user", "content": "Hello?"}]


def ask(chat, *, key="", timeout=5.0, model="tiny", **parameters):
    return complete(Endpoint(chat.base_url, key), model, MESSAGES, parameters, timeout)


def test_a_question_and_its_answer(chat):
    chat.script(chat.says("Hi – “there”", usage=(12, 3)))
    assert ask(chat, key="sk-1", temperature=0.5) == Completion("Hi – “there”", False, 12, 3)
    assert chat.requests == [
        {"model": "tiny", "messages": MESSAGES, "temperature": 0.5, "stream": False}
    ]
    assert chat.headers[0]["Authorization"] == "Bearer sk-1"
    assert chat.headers[0]["User-Agent"].startswith("adc-endpoint/")


def test_without_a_key_none_is_sent(chat):
    chat.script(chat.says("Hi", usage=None))
    assert ask(chat) == Completion("Hi", False, None, None)
    assert "Authorization" not in chat.headers[0]


def test_content_in_parts(chat):
    chat.script(
        chat.sends('{"choices": [{"message": {"content": [{"text": "a"}, {"text": "b"}]}}]}')
    )
    assert ask(chat).text == "ab"


def test_a_stream_that_nobody_asked_for(chat):
    chat.script(chat.streams("a rather long answer"))
    assert ask(chat) == Completion("a rather long answer", False, 7, 3)


def test_a_slow_stream_that_goes_on_is_waited_for(chat):
    chat.script(chat.streams("drop by drop", pause=0.02, size=1))
    assert ask(chat, timeout=5).text == "drop by drop"


def test_a_pause_that_is_no_time_is_none(chat):
    never = "Mon, 01 Jan 2030 00:00:00 +99999999999999999999"
    chat.script(chat.fails(429, "slow down", Retry_After=never), chat.says("Hi"))
    assert ask(chat).text == "Hi"


def test_headers_that_drip_end_in_time():
    with dripping_server(b"HTTP/1.1 200 OK\r\nX: ") as host, pytest.raises(WorkError) as raised:
        complete(Endpoint(f"http://{host}/v1"), "m", [], {}, timeout=0.3)
    assert str(raised.value) == (
        f"{host} gave no whole answer within 0.3 s: raise timeout, or take a smaller model"
    )


def test_an_error_nested_without_end_is_told(chat):
    chat.script(*[chat.sends(b"[" * 100_000, 400)])
    with pytest.raises(UnsupportedRequestError) as raised:
        ask(chat)
    assert str(raised.value).startswith(f"{chat.host} answered 400: [[[")


def test_a_stream_that_is_too_slow_ends(chat):
    chat.script(chat.streams("x" * 1000, pause=0.05, size=1))
    with pytest.raises(WorkError) as raised:
        ask(chat, timeout=0.2)
    assert str(raised.value) == (
        f"{chat.host} gave no whole answer within 0.2 s: raise timeout, or take a smaller model"
    )
    assert len(chat.requests) == 1


def test_silence_ends_too(chat):
    def silent(_):
        time.sleep(0.5)
        return chat.says("too late")

    chat.script(silent)
    with pytest.raises(WorkError, match=r"^127.0.0.1:\d+ gave no whole answer within 0.1 s: "):
        ask(chat, timeout=0.1)


def test_cut_at_length(chat):
    chat.script(chat.says('{"options": ["a", "b', finish="length"), chat.says("", finish="length"))
    assert ask(chat) == Completion('{"options": ["a", "b', True, 100, 20)
    assert ask(chat).cut


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_refusals_for_a_while_are_waited_for(chat, status):
    busy = chat.fails(status, "busy", Retry_After="0")
    chat.script(busy, busy, chat.says("at last"))
    assert ask(chat).text == "at last"
    assert len(chat.requests) == 3


def test_a_connection_that_breaks_is_made_again(chat):
    chat.script(chat.breaks_off(), chat.says("whole"))
    assert ask(chat).text == "whole"


def test_refusals_end_after_five_attempts(chat):
    chat.script(*[chat.fails(429, "slow down", Retry_After="0")] * 5)
    with pytest.raises(WorkError) as raised:
        ask(chat)
    assert str(raised.value) == (
        f"{chat.host} answered 429: slow down; asked 5 times: run again later"
    )
    assert len(chat.requests) == 5


def test_nobody_waits_for_an_hour(chat):
    chat.script(chat.fails(429, "daily limit", Retry_After="3600"))
    with pytest.raises(WorkError) as raised:
        ask(chat)
    assert str(raised.value) == (
        f"{chat.host} answered 429: daily limit; it asks to wait 3600 s: run again then, what was "
        "answered is kept"
    )


def test_an_empty_account_is_not_waited_for(chat):
    chat.script(chat.fails(429, "no credit", "insufficient_quota", Retry_After="0"))
    with pytest.raises(WorkError) as raised:
        ask(chat)
    assert str(raised.value) == (
        f"{chat.host} answered 429: no credit (insufficient_quota); check the account and base_url"
    )


@pytest.mark.parametrize(
    ("status", "kind", "end"),
    [
        (401, InputError, "check ADC_LLM_API_KEY"),
        (403, InputError, "check ADC_LLM_API_KEY"),
        (404, InputError, "check base_url and the model 'tiny'"),
        (307, InputError, "check base_url, which leads elsewhere"),
        (402, WorkError, "check the account and base_url"),
        (400, UnsupportedRequestError, None),
        (422, UnsupportedRequestError, None),
    ],
)
def test_refusals_for_good(chat, status, kind, end):
    chat.script(chat.fails(status, "no\nway", Location=f"{chat.base_url}/elsewhere"))
    with pytest.raises(kind) as raised:
        ask(chat)
    said = f"{chat.host} answered {status}: no way"
    assert str(raised.value) == (said if end is None else f"{said}; {end}")
    assert len(chat.requests) == 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            lambda chat: chat.sends("<html>Welcome</html>"),
            "{host} answered something that is no chat completion: check base_url",
        ),
        (
            lambda chat: chat.fails(200, "upstream is down"),
            "{host} answered 200: upstream is down; run again later",
        ),
        (
            lambda chat: chat.sends(b"x" * (5 << 20)),
            "{host} answered more than 4,194,304 bytes",
        ),
    ],
)
def test_answers_that_are_none(chat, reply, message):
    chat.script(reply(chat))
    with pytest.raises(WorkError) as raised:
        ask(chat)
    assert str(raised.value) == message.format(host=chat.host)


def test_refusals_and_silence_are_answers(chat):
    chat.script(
        chat.says(None, refusal="I cannot help\nwith \x1b[2Jthat."),
        chat.says("", finish="content_filter"),
        chat.says(None),
        chat.sends('{"choices": []}'),
    )
    assert ask(chat) == Completion("", False, 100, 20, "I cannot help with [2Jthat.")
    assert ask(chat) == Completion("", False, 100, 20, "blocked by its content filter")
    assert ask(chat) == Completion("", False, 100, 20)
    assert ask(chat) == Completion("", False, None, None)


def test_nobody_there(chat):
    endpoint = Endpoint("http://127.0.0.1:9/v1")
    with pytest.raises(WorkError) as raised:
        complete(endpoint, "tiny", MESSAGES, {}, 5)
    assert str(raised.value) == (
        "127.0.0.1:9 cannot be reached: Connection refused: start it, or check base_url"
    )
