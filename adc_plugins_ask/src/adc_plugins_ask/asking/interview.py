"""The interview of a dataset's images: questions of their labels, a choice, and controls."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from adc_core import Dataset, InputError
from adc_endpoint import ImageChat, SentImage
from adc_plugins_ask.answers.choice import lettered, read_choice
from adc_plugins_ask.answers.refusal import refuses
from adc_plugins_ask.answers.yes_no import Said, read_one
from adc_plugins_ask.asking.answered import Answered, ask_questions
from adc_plugins_ask.asking.ask_many import ask_many
from adc_plugins_ask.asking.ask_options import AsksAboutImages
from adc_plugins_ask.asking.debate import debate
from adc_plugins_ask.asking.sent_images import UndecodableError, rows_by_content, sent_image
from adc_plugins_ask.questions.class_questions import (
    ClassQuestion,
    Questions,
    fixed_question,
    prompt_of_one,
)

NONE = "none of these"
"""The last option of every choice."""

CHOICE = "Which of these does the image show? Answer with one letter."

_CONTROL_EVERY, _FEWEST_CONTROLS = 100, 5
R = TypeVar("R")


@dataclass(frozen=True)
class ShownSample:
    """An image and the label under which it stands.

    Attributes:
        rows: of the dataset that have both; the first one's image is shown.
        sha256: of what is stored.
        label: class number.
    """

    rows: tuple[int, ...]
    sha256: str
    label: int


class Interview:
    """Asks one model about the images of a dataset.

    Args:
        dataset: what is asked about.
        chat: the model.
        options: how many at a time, how large, and for how much.

    Raises:
        InputError: the dataset has no images.
    """

    def __init__(self, dataset: Dataset, chat: ImageChat, options: AsksAboutImages) -> None:
        if dataset.images is None:
            raise InputError("a model is asked about images, but the dataset has none")
        self.chat = chat
        self._images = dataset.images
        self._classes = dataset.classes
        self._options = options
        found = rows_by_content(dataset.images.sums, dataset.labels.tolist())
        self.samples = [
            ShownSample(tuple(rows), sha, label) for (sha, label), rows in found.items()
        ]

    def answers(self, questions: Questions) -> list[Answered | None]:
        """Return the answers to the questions of each sample's label; None where not asked."""

        def ask(sample: ShownSample) -> Answered:
            asked = questions[self._classes[sample.label]]
            return ask_questions(self.chat, self.image(sample), asked)

        return self.ask_all(self.samples, ask)

    def answers_of(
        self, samples: Sequence[ShownSample], questions: Sequence[ClassQuestion]
    ) -> list[tuple[Said | None, ...]]:
        """Return the answers of some samples to the same questions; of those that gave any."""
        found = self.ask_all(
            samples, lambda sample: ask_questions(self.chat, self.image(sample), questions)
        )
        return [one.answers for one in found if one is not None and not one.silent]

    def debates(self, samples: Sequence[ShownSample], rounds: int) -> list[bool | None]:
        """Return what a debate on each sample's label ends with; None where it does not."""

        def ask(sample: ShownSample) -> bool | None:
            return debate(
                self.chat,
                self.image(sample),
                self._classes[sample.label],
                rounds,
                against_first=int(sample.sha256[:8], 16) % 2 == 1,
            )

        return self.ask_all(samples, ask)

    def choices(
        self, samples: Sequence[ShownSample], offered: Callable[[ShownSample], Sequence[int]]
    ) -> list[int]:
        """Return the class that the model chooses for each sample, -1 for none of them.

        Options stand in an order drawn from the image's hash, since models prefer the first ones.

        Args:
            samples: which.
            offered: the classes that a sample's choice has.
        """

        def ask(sample: ShownSample) -> int:
            classes = shuffled(offered(sample), sample.sha256)
            options = (*(self._classes[k] for k in classes), NONE)
            prompt = f"{CHOICE}\n{lettered(options)}"
            try:
                turn = self.chat.ask(prompt, self.image(sample), options=options)
            except UndecodableError:
                return -1
            chosen = None if turn.refusal else read_choice(turn.answer, options)
            return -1 if chosen is None or chosen == len(classes) else classes[chosen]

        return [-1 if chosen is None else chosen for chosen in self.ask_all(samples, ask)]

    def control(self) -> list[bool]:
        """Ask of every hundredth sample, and of five at least, whether it shows another class.

        Returns:
            Whether the answer was yes, where it was yes or no.
        """
        total = len(self.samples)
        count = min(total, max(_FEWEST_CONTROLS, total // _CONTROL_EVERY))
        chosen = [self.samples[number * total // count] for number in range(count)]

        def ask(sample: ShownSample) -> bool | None:
            others = [k for k in range(len(self._classes)) if k != sample.label]
            (other, *_) = shuffled(others, sample.sha256)
            prompt = prompt_of_one(fixed_question(self._classes[other]))
            try:
                turn = self.chat.ask(prompt, self.image(sample))
            except UndecodableError:
                return None
            said = None if turn.refusal or refuses(turn.answer) else read_one(turn.answer)
            return None if said in (None, "unsure") else said == "yes"

        return [said for said in self.ask_all(chosen, ask) if said is not None]

    def image(self, sample: ShownSample) -> SentImage:
        """Return a sample's image as it is sent."""
        return sent_image(self._images, sample.rows[0], sample.sha256, self._options.send_size)

    def ask_all(
        self, samples: Sequence[ShownSample], ask: Callable[[ShownSample], R]
    ) -> list[R | None]:
        """Return what was asked of each sample, in their order; None where the budget ended."""
        return ask_many(
            samples,
            ask,
            self.chat.budget,
            threads=self._options.max_concurrent_requests,
            max_cost=self._options.max_cost,
            partial=self._options.partial,
        )


def shuffled(classes: Sequence[int], *seed: str) -> list[int]:
    """Return class numbers in an order that the seed's texts decide, on every machine alike."""
    digest = hashlib.sha256("\n".join(seed).encode()).digest()
    order = np.random.default_rng(int.from_bytes(digest[:8])).permutation(len(classes))
    return [classes[place] for place in order]
