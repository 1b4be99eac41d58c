"""Which parts of a request an endpoint takes: servers differ, and refuse what they do not know."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

PARTS = ("detail", "max_tokens", "temperature", "logprobs", "system")
"""What is given up, in this order: the hint how closely to look at an image; the limit's old name
for its new one, `max_completion_tokens`; the temperature; candidates for tokens; the system's role,
whose text then comes before the question."""

_SAID = {
    "detail": ("detail",),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "temperature": ("temperature",),
    "logprobs": ("logprobs",),
    "system": ("system", "role"),
}


class RequestForm:
    """What an endpoint was found not to take, for all threads that ask it.

    Args:
        without: what it is known not to take, as `str` of a former form has it.
    """

    def __init__(self, without: str = "") -> None:
        self._without = frozenset(without.split("+")) & set(PARTS)
        self._lock = threading.Lock()

    @property
    def without(self) -> frozenset[str]:
        """The parts that are left out."""
        return self._without

    def __str__(self) -> str:
        return "+".join(part for part in PARTS if part in self._without)

    def give_up(self, tried: frozenset[str], said: str) -> bool:
        """Leave out one part more after a refusal.

        Args:
            tried: what was left out of the refused request. Where another thread has left out
                more meanwhile, that is tried first.
            said: the server's words; a part that they name goes first.

        Returns:
            Whether there is anything new to try.
        """
        with self._lock:
            if tried != self._without:
                return True
            left = [part for part in PARTS if part not in self._without]
            named = [part for part in left if any(word in said for word in _SAID[part])]
            if not left:
                return False
            self._without |= {(named or left)[0]}
            return True

    def request(
        self,
        system: str,
        content: Sequence[Mapping[str, Any]],
        *,
        max_tokens: int,
        temperature: float | None,
        candidates: int,
    ) -> tuple[frozenset[str], list[Mapping[str, Any]], dict[str, Any]]:
        """Return what is left out, the messages and the parameters of a request.

        Args:
            system: said before the question.
            content: the question's texts and images.
            max_tokens: the longest answer.
            temperature: None for the endpoint's own.
            candidates: how many candidates for each token to ask for; 0 for none.
        """
        without = self._without
        parts = [_without_detail(part) if "detail" in without else part for part in content]
        messages: list[Mapping[str, Any]]
        if "system" in without:
            messages = [{"role": "user", "content": [{"type": "text", "text": system}, *parts]}]
        else:
            messages = [
                {"role": "system", "content": system},
                {"role": "user", "content": parts},
            ]
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        parameters: dict[str, Any] = {limit: max_tokens}
        if temperature is not None and "temperature" not in without:
            parameters["temperature"] = temperature
        if candidates and "logprobs" not in without:
            parameters |= {"logprobs": True, "top_logprobs": candidates}
        return without, messages, parameters


def _without_detail(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if part.get("type") != "image_url":
        return part
    return {"type": "image_url", "image_url": {"url": part["image_url"]["url"]}}
