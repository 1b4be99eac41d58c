"""Endpoints that refuse, fail, pause, or leave out what others say."""

import threading
import time

import numpy as np
import pytest
from chat_server import fails
from seeing_server import Seeing, shown, squares

from adc_core import InputError


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


def test_streams_and_missing_counts(chat, dataset_of, ask, summary):
    chat.script(chat.streams('{"answers": ["yes"]}'))
    seeing = Seeing(usage=None)
    chat.model = seeing
    options = {"price_in": 1.0, "price_out": 2.0}
    ask(dataset_of(6), questions=0, **options)
    # The stream tells seven tokens in and three out; nobody else tells any.
    assert summary()["cost"] == pytest.approx((7 * 1 + 3 * 2) / 1e6)
