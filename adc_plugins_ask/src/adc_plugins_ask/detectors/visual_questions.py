"""Labels that a model, asked about the image, does not confirm."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from adc_core import Dataset, Detector, Findings, InputError, LocalPath, work_folder
from adc_endpoint import Budget, ChatModel, SpentError, Transcript, model_name
from adc_plugins_ask.asking.answered import Answered
from adc_plugins_ask.asking.ask_options import TRANSCRIPT, AsksAboutImages, with_model
from adc_plugins_ask.asking.interview import Interview
from adc_plugins_ask.asking.offered import offered_classes
from adc_plugins_ask.asking.probe import useful_questions
from adc_plugins_ask.asking.summary import SUMMARY, summarize
from adc_plugins_ask.questions.class_questions import (
    Questions,
    fixed_question,
    read_questions,
    write_questions,
)
from adc_plugins_ask.questions.confusable import confusable_classes
from adc_plugins_ask.questions.generate import SYSTEM as MAKER
from adc_plugins_ask.questions.generate import generated_questions
from adc_plugins_ask.questions.scores import answer_scores

QUESTIONS = "questions.yaml"
"""The file of what was asked, to be edited and given again."""

_CONFUSABLE = 2

Suspicion = Annotated[float, Field(ge=0, le=1)]


class Debate(BaseModel):
    """Which labels are debated, and for how long.

    Attributes:
        between: least and greatest suspicion.
        rounds: speeches of each side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    between: tuple[Suspicion, Suspicion] = (0.3, 0.7)
    rounds: int = Field(default=2, ge=1, le=5)


class VisualQuestions(AsksAboutImages, Detector):
    """Flags labels that a multimodal model does not confirm when it is asked about the image.

    Each class has a few yes-or-no questions: whether it is there at all, and `questions` more that
    a model makes, some of which expect no (VDC, Zhu et al., ICLR 2024; arXiv 2309.16211). All are
    asked of an image in one request. Suspicion is the share of answers that do not fit, and a label
    is flagged where fewer than half do. Questions belong to the class: they are made once, and
    written to `questions.yaml`, to be edited and given again as `questions_file`. Every question
    and answer is kept in `turns.jsonl`, from which a second run answers without asking;
    `asked.json` sums them up. The key comes from `ADC_VLM_API_KEY` or `ADC_LLM_API_KEY`, for
    OpenAI itself from `OPENAI_API_KEY`.

    What it claims: that this model, asked these questions, does not confirm the label. It does not
    say that the label is wrong.

    Traps: images leave the machine where the endpoint is elsewhere. Questions that all expect yes
    see nothing of a model that always says yes; therefore every hundredth image is asked about
    another class, and the share of yes is reported. A model has its own idea of rare and of
    ambiguous classes: give `definitions`. A debate takes five requests an image, and the side that
    speaks last wins more often; who begins is drawn for each image.
    """

    requires: ClassVar[tuple[str, ...]] = ("images",)
    optional_columns: ClassVar[tuple[str, ...]] = ("probabilities", "features")
    artifacts: ClassVar[tuple[str, ...]] = (TRANSCRIPT, QUESTIONS, SUMMARY)

    model: str | None = Field(
        default=None, description="its name; by default ADC_VLM_MODEL or ADC_LLM_MODEL"
    )
    questions: int = Field(
        default=4, ge=0, le=20, description="questions of each class beside the first"
    )
    questions_file: LocalPath | None = Field(
        default=None,
        description="questions to ask, as a run wrote them; by default a model makes them",
    )
    definitions: dict[str, str] = Field(
        default_factory=dict, description="what is meant by a class, for names that mean several"
    )
    min_answered: float = Field(
        default=0.5, gt=0, le=1, description="share of the questions that must be answered"
    )
    probe: int = Field(
        default=0,
        ge=0,
        description="images of each class, and as many of others, on which questions are tried "
        "first; those that tell nothing are dropped",
    )
    debate: Debate | None = Field(
        default=None,
        description="let the model argue both sides of labels that the answers leave open",
    )
    suggest: bool = Field(
        default=False, description="ask which class it is instead, of the images that are flagged"
    )

    @property
    def identity(self) -> dict[str, Any]:
        """As of every component, with the model that is asked where the option leaves it open."""
        return with_model(super().identity, self.model)

    def detect(self, dataset: Dataset) -> Findings:
        """Ask about every image; what is stored twice under a label is asked about once.

        Raises:
            InputError: no images, model, endpoint or key; or too little budget for all of them
                without `partial`.
            WorkError: the endpoint fails, or makes no questions that can be used.
        """
        for name in self.definitions:
            if name not in dataset.classes:
                raise InputError(f"definitions: {name!r} is no class of the dataset")
        self.check_host(dataset)
        transcript, budget = self.open_transcript(), self.open_budget()
        chat = self.open_chat(model_name(self.model, "VLM"), transcript, budget)
        interview = Interview(dataset, chat, self)
        try:
            questions = self._questions(dataset, transcript, budget)
        except SpentError:
            raise InputError(
                "the budget is spent before all questions are made: raise max_cost or "
                "max_requests, or give questions_file; what is answered is kept"
            ) from None
        if self.probe:
            questions = useful_questions(interview, questions, dataset.classes, self.probe)
        write_questions(questions, work_folder() / QUESTIONS)
        answers = interview.answers(questions)
        findings = self._findings(dataset, interview, answers, questions)
        if self.debate is not None:
            findings = _debated(interview, findings, self.debate)
        if self.suggest:
            findings = _with_suggestions(dataset, interview, findings)
        labels = [dataset.classes[sample.label] for sample in interview.samples]
        summary = summarize(interview.chat, labels, answers, questions, interview.control())
        summary.write(work_folder() / SUMMARY)
        summary.warn()
        return findings.replace(notes=summary.notes())

    def _questions(self, dataset: Dataset, transcript: Transcript, budget: Budget) -> Questions:
        """Return those of the file; or the one of every class, and those that a model makes."""
        if self.questions_file is not None:
            return read_questions(self.questions_file, dataset.classes)
        model = ChatModel(
            model_name(self.model, "VLM"),
            self.base_url,
            transcript,
            MAKER,
            temperature=self.temperature,
            timeout=self.timeout,
            prices=self.prices,
            service="VLM",
            budget=budget,
        )
        names = dataset.classes
        alike = confusable_classes(dataset, _CONFUSABLE)
        made: dict[str, tuple[Any, ...]] = {}
        for name, others in zip(names, alike, strict=True):
            meant = self.definitions.get(name)
            made[name] = (fixed_question(name, meant),)
            if self.questions:
                made[name] += generated_questions(
                    model,
                    name,
                    names,
                    [names[other] for other in others],
                    self.questions,
                    meant,
                    tuple(dataset.attributes),
                )
        return made

    def _findings(
        self,
        dataset: Dataset,
        interview: Interview,
        answers: list[Answered | None],
        questions: Questions,
    ) -> Findings:
        scores = answer_scores(
            [() if one is None or one.silent else one.answers for one in answers],
            [questions[dataset.classes[sample.label]] for sample in interview.samples],
            self.min_answered,
        )
        suspicion = np.full(len(dataset), np.nan)
        flagged = np.zeros(len(dataset), np.bool_)
        for place, sample in enumerate(interview.samples):
            suspicion[list(sample.rows)] = scores.suspicion[place]
            flagged[list(sample.rows)] = scores.flagged[place]
        return Findings(
            ids=dataset.ids, suspicion=suspicion, flagged=flagged, covered=~np.isnan(suspicion)
        )


def _debated(interview: Interview, findings: Findings, options: Debate) -> Findings:
    """Let doubtful labels be debated: the judge's word replaces what the answers left open."""
    low, high = options.between
    doubtful = [one for one in interview.samples if low <= findings.suspicion[one.rows[0]] <= high]
    suspicion = findings.suspicion.copy()
    for sample, right in zip(doubtful, interview.debates(doubtful, options.rounds), strict=True):
        if right is not None:
            suspicion[list(sample.rows)] = 0.0 if right else 1.0
    return findings.replace(suspicion=suspicion, flagged=findings.covered & (suspicion > 0.5))


def _with_suggestions(dataset: Dataset, interview: Interview, findings: Findings) -> Findings:
    """Ask which class it is, of what is flagged; its label and "none" are no suggestions."""
    offered = offered_classes(dataset)
    doubted = [sample for sample in interview.samples if findings.flagged[sample.rows[0]]]
    chosen = interview.choices(doubted, lambda sample: offered[sample.rows[0]].tolist())
    suggested = np.full(len(dataset), -1)
    for sample, k in zip(doubted, chosen, strict=True):
        suggested[list(sample.rows)] = -1 if k == sample.label else k
    return findings.replace(suggested_labels=suggested)
