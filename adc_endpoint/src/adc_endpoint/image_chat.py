"""Questions about images, from many threads, each paid for once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adc_core import InputError
from adc_endpoint.chat import SharedPause, UnsupportedRequestError, complete
from adc_endpoint.cost import UNKNOWN_PRICES, Budget, Prices
from adc_endpoint.endpoint import endpoint_of
from adc_endpoint.request_form import RequestForm
from adc_endpoint.transcript import Question, ShownImage, Transcript, Turn, now

ROOM_TO_THINK = 2000
"""Tokens of an answer: models that think aloud need room before they answer."""

_CANDIDATES = 5
"""For the first token: all that some services give."""


@dataclass(frozen=True)
class SentImage:
    """An image to show.

    Attributes:
        shown: what identifies it.
        data_uri: makes the bytes that are sent; called when a request needs them.
    """

    shown: ShownImage
    data_uri: Callable[[], str]


class ImageChat:
    """A model that sees images, behind an endpoint, with the memory of what it was asked before.

    Args:
        name: the model's.
        base_url: of the endpoint; None for the environment's.
        transcript: the answers so far; a question that is answered there is not asked.
        system: what is said before every question.
        temperature: None for the endpoint's own.
        timeout: seconds that an answer may take.
        prices: of tokens.
        budget: what may still be asked.
    """

    def __init__(
        self,
        name: str,
        base_url: str | None,
        transcript: Transcript,
        system: str,
        *,
        temperature: float | None = None,
        timeout: float = 300,
        prices: Prices = UNKNOWN_PRICES,
        budget: Budget | None = None,
    ) -> None:
        self.name = name
        self.endpoint = endpoint_of(base_url, "VLM")
        self.transcript = transcript
        self.system = system
        self.budget = Budget() if budget is None else budget
        self.prices = prices
        self._temperature = temperature
        self._timeout = timeout
        self._pause = SharedPause()
        last = transcript.last(self.endpoint.base_url, name, with_images=True)
        self._form = RequestForm("" if last is None else last.form)

    @property
    def gives_probabilities(self) -> bool:
        """Whether the endpoint has not refused to give candidates for tokens."""
        return "logprobs" not in self._form.without

    def ask(
        self,
        prompt: str,
        image: SentImage,
        *,
        options: tuple[str, ...] = (),
        probabilities: bool = False,
        max_tokens: int = ROOM_TO_THINK,
    ) -> Turn:
        """Return the answer to a question about an image: the kept one, or a new one, then kept.

        Args:
            prompt: the question; the image follows it, so that what is equal for many images comes
                first, and servers can keep what they made of it.
            image: what is shown.
            options: what there is to choose from.
            probabilities: whether to ask for candidates for the first token.
            max_tokens: of the answer.

        Raises:
            InputError: key, model or address are wrong, or the endpoint takes no such request.
            SpentError: the budget allows no further request.
            WorkError: the endpoint cannot be reached, fails, or is too slow.
        """
        question = Question(
            self.name,
            self._temperature,
            self.system,
            prompt,
            (image.shown,),
            options,
            probabilities,
        )
        if (kept := self.transcript.find(question)) is not None:
            return kept
        url = {"url": image.data_uri(), "detail": image.shown.detail}
        content: list[Mapping[str, Any]] = [
            {"type": "text", "text": prompt},
            {"type": "image_url", "image_url": url},
        ]
        while True:
            tried, messages, parameters = self._form.request(
                self.system,
                content,
                max_tokens=max_tokens,
                temperature=self._temperature,
                candidates=_CANDIDATES if probabilities else 0,
            )
            try:
                turn = self._answer(question, messages, parameters)
            except UnsupportedRequestError as error:
                if not self._form.give_up(tried, str(error)):
                    raise InputError(f"{error}; check that the model takes images") from None
            else:
                self.transcript.add(turn)
                return turn

    def _answer(
        self, question: Question, messages: list[Mapping[str, Any]], parameters: dict[str, Any]
    ) -> Turn:
        with self.budget.paying() as pay:
            done = complete(
                self.endpoint, self.name, messages, parameters, self._timeout, self._pause
            )
            cost = self.prices.cost(done.tokens_in, done.tokens_out)
            pay(cost)
        return Turn(
            date=now(),
            base_url=self.endpoint.base_url,
            question=question,
            form=str(self._form),
            answer=done.text,
            cut=done.cut,
            refusal=done.refusal,
            first_tokens=done.first_tokens,
            tokens_in=done.tokens_in,
            tokens_out=done.tokens_out,
            cost=cost,
        )
