"""Questions with an answer of a given form, from endpoints that keep to forms more or less."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from adc_core import InputError, WorkError
from adc_endpoint.chat import Message, UnsupportedRequestError, complete
from adc_endpoint.cost import UNKNOWN_PRICES, Budget, Prices
from adc_endpoint.endpoint import Service, endpoint_of
from adc_endpoint.structured_answers import StructuredAnswer, read_answer
from adc_endpoint.transcript import Question, Transcript, Turn, now

A = TypeVar("A", bound=StructuredAnswer)

RESPONSE_FORMATS = ("strict schema", "schema", "json", "text")
"""How the form of an answer is asked for, the strictest first. The prompt names it always."""

REFUSED, EMPTY = "refused", "empty"
"""Faults of answers that are not for their form."""

_MAX_REPEATS = 2


class UnparsableAnswerError(WorkError):
    """A model does not answer in a form that can be used."""


@dataclass(frozen=True)
class Reply(Generic[A]):
    """A usable answer.

    Attributes:
        value: the answer.
        cut: whether there would have been more of it.
    """

    value: A
    cut: bool


class ChatModel:
    """A model behind an endpoint, with the memory of what it was asked before.

    A question that was answered before is answered from the memory, without the endpoint.

    Args:
        name: the model's.
        base_url: of the endpoint; None for the environment's.
        transcript: the answers so far.
        system: what is said before every question.
        temperature: None for the endpoint's own.
        timeout: seconds that an answer may take.
        prices: of tokens.
        service: whose variables say what the options leave open.
        budget: what may still be asked; None for anything.
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
        service: Service = "LLM",
        budget: Budget | None = None,
    ) -> None:
        self.name = name
        self.transcript = transcript
        self.system = system
        self._base_url = base_url
        self._temperature = temperature
        self._timeout = timeout
        self._prices = prices
        self._service: Service = service
        self._budget = Budget() if budget is None else budget

    def complete(self, prompt: str, shape: type[A], *, or_nothing: bool = False) -> Reply[A]:
        """Return the answer to a question; a useless one is asked for again, twice at most.

        Args:
            prompt: the question.
            shape: the form of the answer.
            or_nothing: whether an answer without words is an answer.

        Raises:
            InputError: endpoint, key or model are missing or wrong.
            SpentError: the budget allows no further request.
            UnparsableAnswerError: all three answers are useless.
            WorkError: the endpoint fails, or the model refuses to answer or says nothing.
        """
        if (kept := self._known_answer(prompt, shape)) is not None:
            return kept
        messages: list[Message] = [
            {"role": "system", "content": self.system},
            {"role": "user", "content": prompt_with_schema(prompt, shape)},
        ]
        fault = ""
        for _ in range(1 + _MAX_REPEATS):
            turn, refusal = self._request(prompt, messages, shape)
            if refusal is not None:
                self._record_fault(turn, REFUSED)
                raise WorkError(
                    f"{self.name} refuses to answer: {refusal}; change the brief, or the model"
                )
            if not (turn.answer.strip() or turn.cut):
                self._record_fault(turn, EMPTY)
                raise WorkError(f"{self.name} gave an empty answer: try another model")
            try:
                value = read_answer(turn.answer, shape, cut=turn.cut)
                if not (value.words or turn.cut or or_nothing):
                    raise ValueError("it holds no words")
            except ValueError as error:
                fault = str(error)
            else:
                self.transcript.add(turn)
                return Reply(value, turn.cut)
            self._record_fault(turn, fault)
            messages = [
                *messages[:2],
                {"role": "assistant", "content": turn.answer},
                {
                    "role": "user",
                    "content": f"That cannot be used: {fault}. Answer again with JSON only: "
                    f"{shape.example()}",
                },
            ]
        raise UnparsableAnswerError(
            f"{self.name} gave {1 + _MAX_REPEATS} answers that cannot be used (the last: {fault}): "
            f"try another model; they are kept in {self.transcript.path}"
        )

    def _record_fault(self, turn: Turn, fault: str) -> None:
        self.transcript.add(turn.model_copy(update={"fault": fault}))

    def _known_answer(self, prompt: str, shape: type[A]) -> Reply[A] | None:
        turn = self.transcript.find(Question(self.name, self._temperature, self.system, prompt))
        if turn is None:
            return None
        try:
            return Reply(read_answer(turn.answer, shape, cut=turn.cut), turn.cut)
        except ValueError:  # an older version could use it
            return None

    def _question(self, prompt: str) -> Question:
        return Question(self.name, self._temperature, self.system, prompt)

    def _request(
        self, prompt: str, messages: list[Message], shape: type[StructuredAnswer]
    ) -> tuple[Turn, str | None]:
        """Return an answer in the strictest format that the endpoint takes, and any refusal."""
        endpoint = endpoint_of(self._base_url, self._service)
        for form in _fallbacks(self.transcript.last(endpoint.base_url, self.name)):
            parameters = dict(_parameters(form, shape))
            if self._temperature is not None:
                parameters["temperature"] = self._temperature
            try:
                with self._budget.paying() as pay:
                    done = complete(endpoint, self.name, messages, parameters, self._timeout)
                    cost = self._prices.cost(done.tokens_in, done.tokens_out)
                    pay(cost)
            except UnsupportedRequestError as error:
                if form == RESPONSE_FORMATS[-1]:
                    raise InputError(f"{error}; check the model and the options") from None
                continue
            turn = Turn(
                date=now(),
                base_url=endpoint.base_url,
                question=Question(self.name, self._temperature, self.system, prompt),
                form=form,
                answer=done.text or done.refusal or "",
                cut=done.cut,
                tokens_in=done.tokens_in,
                tokens_out=done.tokens_out,
                cost=cost,
            )
            return turn, done.refusal
        raise AssertionError("the last format returns or raises")


def prompt_with_schema(prompt: str, shape: type[StructuredAnswer]) -> str:
    """Return a question with the form of its answer, which every response format names."""
    return f"{prompt}\nAnswer with JSON only: {shape.example()}"


def _fallbacks(last: Turn | None) -> Sequence[str]:
    """Return the formats to try, given the last answer.

    An endpoint that takes a schema and does not keep to it is asked for plain JSON, and one that
    does not keep to that for text.
    """
    if last is None:
        return RESPONSE_FORMATS
    if last.fault in (None, REFUSED, EMPTY):
        return RESPONSE_FORMATS[RESPONSE_FORMATS.index(last.form) :]
    return RESPONSE_FORMATS[2:] if last.form in RESPONSE_FORMATS[:2] else RESPONSE_FORMATS[3:]


def _parameters(form: str, shape: type[StructuredAnswer]) -> Iterator[tuple[str, Any]]:
    if form == "json":
        yield "response_format", {"type": "json_object"}
    elif form != "text":
        strict = {"strict": True} if form == "strict schema" else {}
        schema = shape.model_json_schema()
        described = {"name": shape.schema_name, **strict, "schema": _bare(schema)}
        yield "response_format", {"type": "json_schema", "json_schema": described}


def _bare(schema: Any) -> Any:
    """Return a schema without titles and descriptions, which are not everywhere taken."""
    if isinstance(schema, dict):
        return {
            key: {name: _bare(one) for name, one in value.items()}
            if key in ("properties", "$defs")
            else _bare(value)
            for key, value in schema.items()
            if key not in ("title", "description")
        }
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema
