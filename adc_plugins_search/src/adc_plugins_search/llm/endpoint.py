"""Where a model answers, and the key that goes there: from options and the environment."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from adc_core import InputError
from adc_plugins_search.api_keys import optional_secret
from adc_plugins_search.base_url import check_encrypted, check_may_have, is_near

MODEL, BASE_URL, KEY = "ADC_LLM_MODEL", "ADC_LLM_BASE_URL", "ADC_LLM_API_KEY"
_BASE_URLS = (BASE_URL, "OPENAI_BASE_URL", "OLLAMA_BASE_URL")
_OPENAI_KEY, _OPENAI = "OPENAI_API_KEY", "https://api.openai.com/v1"


@dataclass(frozen=True)
class Endpoint:
    """An address that speaks OpenAI chat completions.

    Attributes:
        base_url: such as `http://localhost:11434/v1`.
        key: sent as a bearer token; empty where none is needed.
        key_variable: the environment variable that holds the key.
    """

    base_url: str
    key: str = field(default="", repr=False)
    key_variable: str = KEY

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.base_url).netloc


def model_name(option: str | None) -> str:
    """Return the model: the option, or else the environment's.

    Raises:
        InputError: neither names one.
    """
    if name := option or os.environ.get(MODEL, "").strip():
        return name
    raise InputError(
        f"no model is named: set the option model or {MODEL}; the designer vocabulary needs none"
    )


def endpoint_of(option: str | None) -> Endpoint:
    """Return the endpoint: the option, or else the environment's.

    The key of `OPENAI_API_KEY` goes only where that variable's own service is: to
    `OPENAI_BASE_URL`, or to OpenAI; `ADC_LLM_API_KEY` goes to the address in the environment and to
    hosts nearby, but to no other that only an option names.

    Raises:
        InputError: no address, none that can be used, or one to which a key must not be sent.
    """
    found = (os.environ.get(name, "").strip() for name in _BASE_URLS)
    meant = next(filter(None, found), "")
    base_url = (option or meant).rstrip("/")
    if not base_url:
        raise InputError(
            f"no base_url: set the option or {BASE_URL}, such as http://localhost:11434/v1 for "
            f"Ollama or {_OPENAI}"
        )
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"base_url: {base_url!r} is no http(s) address")
    if parts.username or parts.password or parts.query:
        raise InputError(f"base_url must hold no key: put it into {KEY}")
    key, variable = optional_secret(KEY), KEY
    own = os.environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or _OPENAI
    if not key and base_url == own:
        key, variable = optional_secret(_OPENAI_KEY), _OPENAI_KEY
    if key and variable == KEY and not is_near(parts.hostname):
        check_may_have(base_url, KEY, "llm", meant)
    elif key:
        check_encrypted(parts, variable)
    return Endpoint(base_url, key, variable)
