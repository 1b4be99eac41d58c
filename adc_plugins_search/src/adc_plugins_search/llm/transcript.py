"""Every question to a model and its answer, kept in a file: nothing is paid for twice."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from adc_core import remark
from adc_core.storage import disk_faults


class Turn(BaseModel):
    """One answer of a model, as the endpoint gave it.

    Attributes:
        prompt: the question of the design; what was said about earlier faults is not part of it.
        form: how the form of the answer was asked for: one of the response formats.
        fault: what made the answer useless; such a turn is kept but never used again.
        cost: in the currency of the prices, where prices and tokens are known.
    """

    model_config = ConfigDict(frozen=True)

    date: str
    base_url: str
    model: str
    temperature: float | None
    form: str
    system: str
    prompt: str
    answer: str
    cut: bool = False
    fault: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None

    @property
    def key(self) -> str:
        """What the answer depends on, wherever the model runs."""
        return key_of(self.model, self.temperature, self.system, self.prompt)


def key_of(model: str, temperature: float | None, system: str, prompt: str) -> str:
    """Return what identifies a question."""
    return sha256(json.dumps([model, temperature, system, prompt]).encode()).hexdigest()


def now() -> str:
    """Return the date of a turn."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Transcript:
    """A file of turns, one JSON object per line; a line that a kill cut short does not count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turns: list[Turn] = []
        self._usable: dict[str, Turn] = {}
        with disk_faults(path):
            lines = path.read_text("utf-8").split("\n") if path.exists() else [""]
        # What a kill cut short would spoil the next line too.
        self._separator = "\n" if lines[-1] else ""
        for line in filter(None, lines):
            try:
                self._remember(Turn.model_validate_json(line))
            except ValidationError:
                continue

    def __iter__(self) -> Iterator[Turn]:
        return iter(self._turns)

    def find(self, key: str) -> Turn | None:
        """Return the usable answer to a question."""
        return self._usable.get(key)

    def add(self, turn: Turn) -> None:
        """Keep a turn, on disk before this returns, and remark what all have used.

        Raises:
            WorkError: the disk refuses.
        """
        with disk_faults(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{self._separator}{turn.model_dump_json()}\n")
                file.flush()
                os.fsync(file.fileno())
        self._separator = ""
        self._remember(turn)
        remark(str(token_usage(self)))

    def last(self, base_url: str, model: str) -> Turn | None:
        """Return the last turn with a model at an endpoint."""
        turns = (t for t in reversed(self._turns) if (t.base_url, t.model) == (base_url, model))
        return next(turns, None)

    def _remember(self, turn: Turn) -> None:
        self._turns.append(turn)
        if turn.fault is None:
            self._usable[turn.key] = turn


@dataclass(frozen=True)
class TokenUsage:
    """What turns used.

    Attributes:
        answers: how many there are.
        uncounted: those whose tokens the endpoint did not tell.
        cost: in the currency of the prices; None where no price was given.
    """

    answers: int
    uncounted: int
    tokens_in: int
    tokens_out: int
    cost: float | None

    def __str__(self) -> str:
        answers = "1 answer" if self.answers == 1 else f"{self.answers} answers"
        text = f"{answers}, {self.tokens_in:,} tokens in, {self.tokens_out:,} out"
        if self.uncounted:
            text += f" ({self.uncounted} of them uncounted)"
        return text if self.cost is None else f"{text}, cost {self.cost:.4f}"

    def write(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            WorkError: the disk refuses.
        """
        with disk_faults(path):
            path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def token_usage(turns: Iterable[Turn]) -> TokenUsage:
    """Return the sum over turns."""
    turns = list(turns)
    costs = [turn.cost for turn in turns if turn.cost is not None]
    return TokenUsage(
        answers=len(turns),
        uncounted=sum(turn.tokens_in is None or turn.tokens_out is None for turn in turns),
        tokens_in=sum(turn.tokens_in or 0 for turn in turns),
        tokens_out=sum(turn.tokens_out or 0 for turn in turns),
        cost=sum(costs) if costs else None,
    )
