"""Where a model answers, and the key that goes there: from options and the environment."""

import os
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from adc_core import InputError
from adc_endpoint.base_url import check_encrypted, check_may_have, is_near
from adc_endpoint.keys import optional_secret

Service = Literal["LLM", "VLM"]
"""A model for texts, or one that sees images. Of the latter, what has no variable of its own
(`ADC_VLM_MODEL`) is as of the former (`ADC_LLM_MODEL`)."""

_OPENAI_KEY, _OPENAI = "OPENAI_API_KEY", "https://api.openai.com/v1"


def _variables(service: Service, what: str) -> tuple[str, ...]:
    own = (f"ADC_{service}_{what}",)
    return own if service == "LLM" else (*own, f"ADC_LLM_{what}")


def _first_set(names: tuple[str, ...]) -> str:
    """Return the value of the first variable that is set; empty where none is."""
    found = (os.environ.get(name, "").strip() for name in names)
    return next(filter(None, found), "")


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
    key_variable: str = "ADC_LLM_API_KEY"

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.base_url).netloc

    @property
    def is_near(self) -> bool:
        """Whether it is this machine or one of the own network."""
        return is_near(urlsplit(self.base_url).hostname or "")


def model_name(option: str | None, service: Service = "LLM") -> str:
    """Return the model: the option, or else the environment's.

    Raises:
        InputError: neither names one.
    """
    names = _variables(service, "MODEL")
    if name := option or _first_set(names):
        return name
    without = "; the designer vocabulary needs none" if service == "LLM" else ""
    raise InputError(f"no model is named: set the option model or {names[0]}{without}")


def endpoint_of(option: str | None, service: Service = "LLM") -> Endpoint:
    """Return the endpoint: the option, or else the environment's.

    The key of `OPENAI_API_KEY` goes only where that variable's own service is: to
    `OPENAI_BASE_URL`, or to OpenAI; `ADC_LLM_API_KEY` and `ADC_VLM_API_KEY` go to the address in
    the environment and to hosts nearby, but to no other that only an option names.

    Raises:
        InputError: no address, none that can be used, or one to which a key must not be sent.
    """
    addresses = _variables(service, "BASE_URL")
    keys = _variables(service, "API_KEY")
    meant = _first_set((*addresses, "OPENAI_BASE_URL", "OLLAMA_BASE_URL"))
    base_url = (option or meant).rstrip("/")
    if not base_url:
        raise InputError(
            f"no base_url: set the option or {addresses[0]}, such as http://localhost:11434/v1 for "
            f"Ollama or {_OPENAI}"
        )
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"base_url: {base_url!r} is no http(s) address")
    if parts.username or parts.password or parts.query:
        raise InputError(f"base_url must hold no key: put it into {keys[0]}")
    variable = next((name for name in keys if optional_secret(name)), keys[0])
    key = optional_secret(variable)
    openai = os.environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or _OPENAI
    if not key and base_url == openai:
        key, variable = optional_secret(_OPENAI_KEY), _OPENAI_KEY
    if key and variable != _OPENAI_KEY and not is_near(parts.hostname):
        check_may_have(base_url, variable, service, meant)
    elif key:
        check_encrypted(parts, variable)
    return Endpoint(base_url, key, variable)
