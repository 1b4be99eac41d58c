"""Every question to a model and its answer, kept in a file: nothing is paid for twice."""

import json
import os
import threading
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from adc_core import status
from adc_core.storage import translate_os_errors


@dataclass(frozen=True)
class ShownImage:
    """An image as a model was shown it.

    Attributes:
        sha256: of the file that is stored, or of the pixels where there is no file.
        side: the longest side that was sent, in pixels.
        detail: how closely the endpoint was asked to look.
    """

    sha256: str
    side: int
    detail: str = "low"


@dataclass(frozen=True)
class Question:
    """What an answer depends on, wherever the model runs.

    Attributes:
        model: its name.
        temperature: None for the endpoint's own.
        system: what is said before every question.
        prompt: the question; what was said about earlier faults is not part of it.
        images: what is shown with it.
        options: what there is to choose from, as the prompt letters it.
        probabilities: whether candidates for the first token are asked for.
        draw: the number of a repeated question, where answers are drawn.
    """

    model: str
    temperature: float | None
    system: str
    prompt: str
    images: tuple[ShownImage, ...] = ()
    options: tuple[str, ...] = ()
    probabilities: bool = False
    draw: int = 0

    @property
    def key(self) -> str:
        """SHA-256 over all of it."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()


class Turn(BaseModel):
    """One answer of a model, as the endpoint gave it.

    Attributes:
        question: what was asked.
        form: how the form of the answer was asked for, or which parts of a request the endpoint
            does without.
        fault: what made the answer useless; such a turn is kept but never used again.
        refusal: why the model will not answer; None where it did.
        first_tokens: candidates for the first token with their log probabilities.
        cost: in the currency of the prices, where prices and tokens are known.
    """

    model_config = ConfigDict(frozen=True)

    date: str
    base_url: str
    question: Question
    form: str
    answer: str
    cut: bool = False
    fault: str | None = None
    refusal: str | None = None
    first_tokens: tuple[tuple[str, float], ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


def now() -> str:
    """Return the date of a turn."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class TokenUsage:
    """What turns used.

    Attributes:
        answers: how many there are.
        uncounted: those whose tokens the endpoint did not tell.
        tokens_in: tokens of prompts.
        tokens_out: tokens of answers.
        cost: in the currency of the prices; None where no price was given.
    """

    answers: int = 0
    uncounted: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None

    def __str__(self) -> str:
        answers = "1 answer" if self.answers == 1 else f"{self.answers:,} answers"
        text = f"{answers}, {self.tokens_in:,} tokens in, {self.tokens_out:,} out"
        if self.uncounted:
            text += f" ({self.uncounted:,} of them uncounted)"
        return text if self.cost is None else f"{text}, cost {self.cost:.4f}"

    def with_turn(self, turn: Turn) -> "TokenUsage":
        """Return it with one turn more."""
        return TokenUsage(
            self.answers + 1,
            self.uncounted + (turn.tokens_in is None or turn.tokens_out is None),
            self.tokens_in + (turn.tokens_in or 0),
            self.tokens_out + (turn.tokens_out or 0),
            self.cost if turn.cost is None else (self.cost or 0) + turn.cost,
        )

    def write(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            WorkError: the disk refuses.
        """
        with translate_os_errors(path):
            path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


@dataclass
class Transcript:
    """A file of turns, one JSON object per line; a line that a kill cut short does not count.

    Several threads may ask it and add to it.

    Attributes:
        path: the file.
        usage: what all its turns used.
    """

    path: Path
    usage: TokenUsage = field(default_factory=TokenUsage, init=False)

    def __post_init__(self) -> None:
        """Read what there is.

        Raises:
            WorkError: the file cannot be read.
        """
        self._usable: dict[str, Turn] = {}
        self._last: dict[tuple[str, str, bool], Turn] = {}
        self._lock = threading.Lock()
        self._separator = ""
        if not self.path.exists():
            return
        with translate_os_errors(self.path), self.path.open(encoding="utf-8") as file:
            for line in file:
                # What a kill cut short would spoil the next line too.
                self._separator = "" if line.endswith("\n") else "\n"
                try:
                    self._remember(Turn.model_validate_json(line))
                except ValidationError:
                    continue

    def find(self, question: Question) -> Turn | None:
        """Return the usable answer to a question."""
        return self._usable.get(question.key)

    def add(self, turn: Turn) -> None:
        """Keep a turn, on disk before this returns, and report what all have used.

        Raises:
            WorkError: the disk refuses.
        """
        with self._lock:
            with translate_os_errors(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(f"{self._separator}{_as_line(turn)}\n")
                    file.flush()
                    os.fsync(file.fileno())
            self._separator = ""
            self._remember(turn)
            status(str(self.usage))

    def last(self, base_url: str, model: str, *, with_images: bool = False) -> Turn | None:
        """Return the last turn with a model at an endpoint: of texts, or about images.

        Both are asked for in forms of their own, which say nothing of each other.
        """
        return self._last.get((base_url, model, with_images))

    def _remember(self, turn: Turn) -> None:
        self.usage = self.usage.with_turn(turn)
        self._last[turn.base_url, turn.question.model, bool(turn.question.images)] = turn
        if turn.fault is None:
            self._usable[turn.question.key] = turn


def _as_line(turn: Turn) -> str:
    """Return a turn as JSON without what it says by saying nothing."""
    said: dict[str, Any] = turn.model_dump(mode="json", exclude_defaults=True)
    plain = {one.name: one.default for one in fields(Question)}
    said["question"] = {
        name: value
        for name, value in asdict(turn.question).items()
        if name not in plain or value != plain[name]
    }
    return json.dumps(said, ensure_ascii=False)
