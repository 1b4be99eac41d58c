"""Models as raters: each says which class an image shows, and how sure it is."""

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, Enricher, InputError, Probabilities, Votes
from adc_endpoint import ImageChat, SentImage, model_name
from adc_plugins_ask.answers.choice import letter_probabilities, lettered, read_choice
from adc_plugins_ask.answers.refusal import refuses
from adc_plugins_ask.asking.ask_options import TRANSCRIPT, AsksAboutImages, with_model
from adc_plugins_ask.asking.interview import CHOICE, NONE, Interview, ShownSample, shuffled
from adc_plugins_ask.asking.offered import offered_classes
from adc_plugins_ask.asking.sent_images import UndecodableError


def mean_of_members(members: NDArray[np.floating]) -> NDArray[np.float64]:
    """Average the probabilities of the members that answered about each sample.

    Args:
        members: M × N × (K + 1) probabilities of the classes and of none of them; NaN where a
            member has not answered.

    Returns:
        N × (K + 1); NaN where no member has answered.
    """
    answered = ~np.isnan(members).any(axis=2)
    total = np.where(answered[:, :, None], members, 0).sum(axis=0)
    counts = answered.sum(axis=0)[:, None]
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


class Annotators(AsksAboutImages, Enricher):
    """Lets multimodal models vote on what each image shows.

    Every model with every prompt is a rater of its own. It chooses a letter among the classes and
    "none of these", in an order drawn for each image and rater, since models prefer the first
    options; it is not told the label. Where the endpoint gives the probabilities of tokens, those
    of the letters are taken, else the letter that was said. The mean over the raters that answered
    becomes the column `probabilities`, so that every detector that reads these works without any
    training; the votes become the column `votes`, for detectors such as `dawid-skene`; what speaks
    for none of the classes is the column `none`. This follows Nahum et al., "Are LLMs better than
    reported?" (2024; arXiv 2410.18889), on images in place of texts.

    What it claims: agreement of the named models, nothing about truth.

    Traps: two prompts of one model are hardly two raters, and models that learned from the same
    web err alike. Measured on five networks' probabilities of CIFAR-10N, the mean is safe and not
    best: a single better member beats it. A member that refuses casts no vote. With more than 20
    classes, the label and the nine likeliest others are offered, which needs `probabilities` or the
    column `class_similarity`.
    """

    requires: ClassVar[tuple[str, ...]] = ("images",)
    optional_columns: ClassVar[tuple[str, ...]] = ("probabilities", "class_similarity", "votes")
    provides: ClassVar[tuple[str, ...]] = ("votes", "probabilities", "none")
    artifacts: ClassVar[tuple[str, ...]] = (TRANSCRIPT,)

    models: tuple[str, ...] = Field(
        default=(),
        description="their names at the endpoint; by default ADC_VLM_MODEL or ADC_LLM_MODEL",
    )
    prompts: tuple[str, ...] = Field(
        default=(CHOICE,), min_length=1, description="ways to ask, each a rater of its own"
    )

    @property
    def identity(self) -> dict[str, Any]:
        """As of every component, with the model that is asked where the option leaves it open."""
        return super().identity if self.models else with_model(super().identity, None)

    def enrich(self, dataset: Dataset) -> Dataset:
        """Return the dataset with the models' votes beside those that there are.

        Raises:
            InputError: no images, model, endpoint or key; or too little budget for all of them
                without `partial`.
            WorkError: the endpoint fails.
        """
        self.check_host(dataset)
        names = self.models or (model_name(None, "VLM"),)
        transcript, budget = self.open_transcript(), self.open_budget()
        offered = offered_classes(dataset)
        members, raters = [], []
        for name in names:
            chat = self.open_chat(name, transcript, budget)
            interview = Interview(dataset, chat, self)
            for number, prompt in enumerate(self.prompts, 1):
                rater = name if len(self.prompts) == 1 else f"{name}, prompt {number}"
                raters.append(rater)
                members.append(_member(interview, dataset, prompt, rater, offered))
        return _with_votes(dataset, np.stack(members), raters)


def _member(
    interview: Interview,
    dataset: Dataset,
    prompt: str,
    rater: str,
    offered: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return N × (K + 1) probabilities of one rater; NaN where it has not answered."""
    classes = dataset.classes

    def ask(sample: ShownSample) -> NDArray[np.float64]:
        order = shuffled(offered[sample.rows[0]].tolist(), sample.sha256, rater)
        options = (*(classes[k] for k in order), NONE)
        found = np.full(len(classes) + 1, np.nan)
        try:
            shares = _shares(interview.chat, prompt, options, interview.image(sample))
        except UndecodableError:
            return found
        if shares is not None:
            found[:] = 0
            found[[*order, len(classes)]] = shares
        return found

    values = np.full((len(dataset), len(classes) + 1), np.nan)
    for sample, answer in zip(
        interview.samples, interview.ask_all(interview.samples, ask), strict=True
    ):
        if answer is not None:
            values[list(sample.rows)] = answer
    missing = np.isnan(values[:, 0])
    if missing.any():
        warnings.warn(
            f"{rater} has not answered about {int(missing.sum()):,} of {len(dataset):,} images",
            stacklevel=4,
        )
    return values


def _shares(
    chat: ImageChat, prompt: str, options: tuple[str, ...], image: SentImage
) -> list[float] | None:
    """Return the probability of each option: of tokens, else all on the letter that is said."""
    asked = f"{prompt}\n{lettered(options)}"
    turns = []
    if chat.gives_probabilities:
        turns.append(chat.ask(asked, image, options=options, probabilities=True, max_tokens=1))
        shares = letter_probabilities(turns[0].first_tokens, len(options))
        if shares is not None:
            return shares
    # What is no letter may be the beginning of a sentence, or of a thought.
    if not turns or (turns[0].refusal is None and read_choice(turns[0].answer, options) is None):
        turns.append(chat.ask(asked, image, options=options))
    said = turns[-1]
    if said.refusal is not None or refuses(said.answer):
        return None
    chosen = read_choice(said.answer, options)
    return None if chosen is None else [float(place == chosen) for place in range(len(options))]


def _with_votes(dataset: Dataset, members: NDArray[np.float64], raters: Sequence[str]) -> Dataset:
    """Add columns made of M × N × (K + 1) probabilities."""
    mean = mean_of_members(members)
    silent = np.isnan(mean[:, 0])
    if silent.all():
        raise InputError("no model answered about any image: see turns.jsonl for what they said")
    classes = len(dataset.classes)
    # Where nobody answered, or all say "none", no class is likelier than another.
    shares = np.nan_to_num(mean[:, :classes])
    sums = shares.sum(axis=1, keepdims=True)
    values = np.where(sums > 0, shares / np.where(sums > 0, sums, 1), 1 / classes)
    return dataset.replace(
        probabilities=Probabilities(values=values.astype(np.float32), origin="out of sample"),
        votes=_joined(dataset.votes, members, raters),
        columns={**dataset.columns, "none": mean[:, classes]},
    )


def _joined(votes: Votes | None, members: NDArray[np.float64], raters: Sequence[str]) -> Votes:
    """Return the members' votes after those that there are; "none" and silence are no votes."""
    best = np.nan_to_num(members, nan=-1).argmax(axis=2)
    voted = ~np.isnan(members[:, :, 0]) & (best < members.shape[2] - 1)
    rater, item = np.nonzero(voted)
    label = best[rater, item]
    confidence = members[rater, item, label]
    if votes is None:
        return Votes(
            item=item, rater=rater, label=label, confidence=confidence, names=tuple(raters)
        )
    before = votes.raters
    names = votes.names or tuple(f"rater {number}" for number in range(1, before + 1))
    answer = votes.answer
    old_confidence = votes.confidence
    return Votes(
        item=np.append(votes.item, item),
        rater=np.append(votes.rater, rater + before),
        label=np.append(votes.label, label),
        answer=None if answer is None else np.append(answer, np.ones(len(item), np.int64)),
        confidence=np.append(
            np.full(len(votes), np.nan) if old_confidence is None else old_confidence, confidence
        ),
        names=(*names, *raters),
        trusted=None
        if votes.trusted is None
        else np.append(votes.trusted, np.zeros(len(raters), np.bool_)),
    )
