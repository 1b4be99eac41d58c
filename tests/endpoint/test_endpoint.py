"""Where questions and keys go."""

import pytest

from adc_core.errors import InputError
from adc_endpoint import endpoint_of, model_name


def test_the_option_wins_then_the_environment_in_its_order(monkeypatch):
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://localhost:11434/v1/")
    assert endpoint_of(None).base_url == "http://localhost:11434/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert endpoint_of(None).base_url == "http://localhost:8000/v1"
    monkeypatch.setenv("ADC_LLM_BASE_URL", "http://localhost:8080/v1")
    assert endpoint_of(None).base_url == "http://localhost:8080/v1"
    assert endpoint_of("http://localhost:1234/v1").base_url == "http://localhost:1234/v1"
    assert endpoint_of("http://localhost:1234/v1").host == "localhost:1234"


def test_the_model_likewise(monkeypatch):
    with pytest.raises(InputError) as raised:
        model_name(None)
    assert str(raised.value) == (
        "no model is named: set the option model or ADC_LLM_MODEL; the designer vocabulary needs "
        "none"
    )
    monkeypatch.setenv("ADC_LLM_MODEL", "llama3.3")
    assert model_name(None) == "llama3.3"
    assert model_name("qwen3") == "qwen3"


def test_openais_key_goes_to_openai_only(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    found = endpoint_of("https://api.openai.com/v1")
    assert (found.key, found.key_variable) == ("sk-openai", "OPENAI_API_KEY")
    assert endpoint_of("https://elsewhere.example/v1").key == ""
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example/v1")
    assert endpoint_of(None).key == "sk-openai"
    assert endpoint_of("https://api.openai.com/v1").key == ""
    monkeypatch.setenv("ADC_LLM_API_KEY", "sk-own")
    monkeypatch.setenv("ADC_LLM_BASE_URL", "https://third.example/v1")
    found = endpoint_of("https://third.example/v1")
    assert (found.key, found.key_variable) == ("sk-own", "ADC_LLM_API_KEY")
    assert "sk-own" not in repr(found)


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        (
            None,
            "no base_url: set the option or ADC_LLM_BASE_URL, such as http://localhost:11434/v1 "
            "for Ollama or https://api.openai.com/v1",
        ),
        ("localhost:11434", "base_url: 'localhost:11434' is no http(s) address"),
        (
            "https://me:sk-1@example.org/v1",
            "base_url must hold no key: put it into ADC_LLM_API_KEY",
        ),
        (
            "http://example.org/v1",
            "base_url: example.org would get the key of ADC_LLM_API_KEY unencrypted: use https, "
            "or unset ADC_LLM_API_KEY",
        ),
        (
            "https://example.org/v1",
            "base_url: example.org would get the key of ADC_LLM_API_KEY: if you trust it, export "
            "ADC_LLM_BASE_URL=https://example.org/v1, else unset ADC_LLM_API_KEY",
        ),
    ],
)
def test_faults(monkeypatch, base_url, message):
    monkeypatch.setenv("ADC_LLM_API_KEY", "sk-secret")
    with pytest.raises(InputError) as raised:
        endpoint_of(base_url)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "host", ["localhost:1", "127.0.0.1", "[::1]:80", "192.168.1.5", "ollama:11434", "box.local"]
)
def test_a_key_may_go_unencrypted_to_hosts_nearby(monkeypatch, host):
    monkeypatch.setenv("ADC_LLM_API_KEY", "sk-secret")
    assert endpoint_of(f"http://{host}/v1").key == "sk-secret"


def test_without_a_key_any_host_may_be_asked():
    assert endpoint_of("http://example.org/v1").key == ""
