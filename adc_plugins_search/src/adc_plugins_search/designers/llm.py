"""A design by a language model: attributes, many options, a refinement, a diverse few."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from adc_core import (
    Brief,
    Design,
    Designer,
    InputError,
    LocalPath,
    WorkError,
    progress,
    work_folder,
)
from adc_core.records import distinct
from adc_endpoint import (
    ChatModel,
    Prices,
    Transcript,
    UnparsableAnswerError,
    model_name,
    prompt_with_schema,
)
from adc_plugins_search.designers.attributes import MAX_QUERIES, check_template, design_of
from adc_plugins_search.llm.answer_schemas import GroupsAnswer, WordsAnswer
from adc_plugins_search.llm.group_terms import group_terms_by_model
from adc_plugins_search.llm.prompts import (
    ask_attributes,
    ask_groups,
    ask_options,
    system,
)
from adc_plugins_search.terms.normalize import canonical_key, filter_terms, normalize
from adc_plugins_search.terms.proposals import Groups, Proposal
from adc_plugins_search.terms.select_diverse import select_diverse
from adc_plugins_search.terms.vocabulary import read_words

TRANSCRIPT = "turns.jsonl"
"""The file of prompts and answers in the work folder."""

TOKEN_USAGE = "spent.json"
"""The file there that says how many tokens they took."""

_MAX_ROUNDS = 4


class LlmDesigner(Designer):
    """Asks a language model for attributes and options, cleans the answers and picks a diverse few.

    For each class the model names attributes, of which those named for most classes are taken;
    then `candidates` ways to describe each of them. Rules drop what is repeated or misplaced, the
    model does the same and sorts the rest into groups, and of these `values_per_attribute` are
    picked that differ: colours by their distance in CIELAB, others from all groups in turn. Every
    combination makes a query.

    The model answers at any endpoint that speaks OpenAI chat completions: Ollama, vLLM, llama.cpp
    or a hosted service. Its key comes from `ADC_LLM_API_KEY`, or for OpenAI itself from
    `OPENAI_API_KEY`; a local endpoint needs none. Every prompt and answer is kept in
    `turns.jsonl`, from which a second run answers without asking; `spent.json` has their tokens.

    This is step 1 of Liu et al., "Automatic Dataset Construction (ADC): Sample Collection, Data
    Curation, and Beyond" (2024), section 2.1.
    """

    keeps_cache: ClassVar[bool] = True
    artifacts: ClassVar[tuple[str, ...]] = (TRANSCRIPT, TOKEN_USAGE)
    execution_options: ClassVar[tuple[str, ...]] = ("timeout", "price_in", "price_out")

    renamed_options: ClassVar[Mapping[str, str]] = {
        "most": "max_attributes",
        "options": "candidates",
        "each": "values_per_attribute",
        "limit": "max_queries",
        "turns": "transcript",
    }

    model: str | None = Field(default=None, description="its name; by default ADC_LLM_MODEL")
    base_url: str | None = Field(
        default=None,
        description="address of the endpoint, such as http://localhost:11434/v1; by default "
        "ADC_LLM_BASE_URL, OPENAI_BASE_URL or OLLAMA_BASE_URL",
    )
    attributes: tuple[str, ...] = Field(
        default=(), description="what to vary; by default the model is asked"
    )
    max_attributes: int = Field(
        default=3, ge=1, description="attributes to take where the model is asked for them"
    )
    candidates: int = Field(
        default=50, ge=1, le=200, description="values to ask for per class and attribute"
    )
    values_per_attribute: int = Field(
        default=10, ge=1, description="values to pick per class and attribute"
    )
    template: str | None = Field(
        default=None, description="text of a query, with the slots {class} and {ATTRIBUTE}"
    )
    max_queries: int = Field(
        default=MAX_QUERIES, ge=1, description="refuse designs with more queries than this"
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="of the model; by default the endpoint's own"
    )
    timeout: float = Field(default=300, gt=0, description="seconds that an answer may take")
    price_in: float | None = Field(
        default=None, ge=0, description="price of a million tokens of prompts"
    )
    price_out: float | None = Field(
        default=None, ge=0, description="price of a million tokens of answers"
    )
    transcript: LocalPath | None = Field(
        default=None, description="prompts and answers to go on from; by default those of the run"
    )

    @field_validator("attributes")
    @classmethod
    def _check_attributes(cls, attributes: tuple[str, ...]) -> tuple[str, ...]:
        if "class" in attributes:
            raise ValueError("'class' cannot be an attribute: the slot {class} is the class")
        return distinct(attributes, "attribute")

    @model_validator(mode="after")
    def _check_template(self) -> Self:
        if self.template is not None:
            if not self.attributes:
                raise ValueError("template: name the attributes of its slots: attributes: […]")
            check_template(self.template, self.attributes)
        return self

    @property
    def identity(self) -> dict[str, Any]:
        """As of every component, with the model that is asked where the option leaves it open."""
        described = super().identity
        try:
            return described | {"model": model_name(self.model)}
        except InputError:
            return described

    @property
    def transcript_file(self) -> Path:
        """Where prompts and answers are kept."""
        return self.transcript or work_folder() / TRANSCRIPT

    def design(self, brief: Brief) -> Design:
        """Return the classes of the brief with all combinations of the picked values.

        Raises:
            InputError: no classes, model, endpoint or key; or too many queries.
            WorkError: the endpoint fails, refuses, or answers nothing that can be used.
        """
        model = self._model(brief)
        chosen: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in brief.classes}
        for proposal in self._proposals(model, brief):
            chosen[proposal.class_name][proposal.attribute] = proposal.chosen
        model.transcript.usage.write(work_folder() / TOKEN_USAGE)
        return design_of(
            chosen,
            brief.samples_per_query,
            template=self.template,
            omit_from_query=read_words()["omit_from_query"],
            max_queries=self.max_queries,
        )

    def propose(self, brief: Brief) -> Iterator[Proposal]:
        """Return all refined options of each attribute of each class, the picked ones chosen.

        Raises:
            InputError: no classes, model, endpoint or key.
            WorkError: the endpoint fails, refuses, or answers nothing that can be used.
        """
        yield from self._proposals(self._model(brief), brief)

    def _proposals(self, model: ChatModel, brief: Brief) -> Iterator[Proposal]:
        attributes = self.attributes or self._ask_for_attributes(model, brief)
        total = len(brief.classes) * len(attributes)
        done = 0
        for class_name in brief.classes:
            for attribute in attributes:
                progress(done, total, "attribute")
                words = self._ask_for_candidates(
                    model, brief, class_name, attribute, self.candidates, ()
                )
                groups = group_terms_by_model(model, brief, class_name, attribute, words)
                chosen = select_diverse(groups, attribute, self.values_per_attribute)
                yield Proposal(class_name, attribute, groups, chosen)
                done += 1
        progress(total, total, "attribute")

    def more(
        self, brief: Brief, class_name: str, attribute: str, count: int, known: Collection[str]
    ) -> Groups:
        """Return further options, refined as the first ones were.

        Raises:
            InputError: as `propose`.
            WorkError: as `propose`, or the model knows no more.
        """
        model = self._model(brief)
        words = self._ask_for_candidates(model, brief, class_name, attribute, count, known)
        return group_terms_by_model(model, brief, class_name, attribute, words)

    def prompts(self, brief: Brief) -> Iterator[tuple[str, str]]:
        """Return the prompts without sending any; `<…>` stands for answers that they need."""
        self._check(brief)
        yield "said before every question", system(brief)
        if not self.attributes:
            for class_name in brief.classes:
                yield (
                    f"attributes of {class_name}",
                    prompt_with_schema(ask_attributes(class_name), WordsAnswer),
                )
        attributes = self.attributes or tuple(
            f"<attribute {n}>" for n in range(1, self.max_attributes + 1)
        )
        for class_name in brief.classes:
            for attribute in attributes:
                asked = ask_options(class_name, attribute, self.candidates, ())
                yield f"{attribute} of {class_name}", prompt_with_schema(asked, WordsAnswer)
                asked = ask_groups(class_name, attribute, ["<what was answered>"])
                title = f"refinement of {attribute} of {class_name}"
                yield title, prompt_with_schema(asked, GroupsAnswer)

    def _check(self, brief: Brief) -> None:
        if not brief.classes:
            raise InputError("no classes: name them in the brief, as classes: [sweater, shirt]")

    def _model(self, brief: Brief) -> ChatModel:
        self._check(brief)
        return ChatModel(
            model_name(self.model),
            self.base_url,
            Transcript(self.transcript_file),
            system(brief),
            temperature=self.temperature,
            timeout=self.timeout,
            prices=Prices(self.price_in, self.price_out),
        )

    def _ask_for_attributes(self, model: ChatModel, brief: Brief) -> tuple[str, ...]:
        """Return those that are named for most classes, and among these the earliest named."""
        spelled: dict[str, str] = {}
        places: dict[str, list[int]] = {}
        for done, class_name in enumerate(brief.classes):
            progress(done, len(brief.classes), "class")
            answer = model.complete(ask_attributes(class_name), WordsAnswer).value.options
            for name in answer:
                spelled.setdefault(canonical_key(name), normalize(name))
            for place, key in enumerate(dict.fromkeys(map(canonical_key, answer))):
                places.setdefault(key, []).append(place)
        strange = {"", canonical_key("class"), *map(canonical_key, brief.classes)}
        found = [key for key in places if key not in strange]
        found.sort(key=lambda key: (-len(places[key]), sum(places[key]) / len(places[key])))
        if not found:
            raise WorkError(f"{model.name} named no attributes: give them, as attributes: [color]")
        return tuple(spelled[key] for key in found[: self.max_attributes])

    def _ask_for_candidates(
        self,
        model: ChatModel,
        brief: Brief,
        class_name: str,
        attribute: str,
        count: int,
        known: Collection[str],
    ) -> tuple[str, ...]:
        """Return clean candidates beside those known; ask again if an answer was cut or short."""
        there = {canonical_key(word) for word in known}
        words: tuple[str, ...] = ()
        wanted = count
        for _ in range(_MAX_ROUNDS):
            prompt = ask_options(class_name, attribute, wanted, (*known, *words))
            try:
                reply = model.complete(prompt, WordsAnswer, or_nothing=bool(known or words))
            except UnparsableAnswerError:
                if words:  # it has said what it knows
                    break
                raise
            said = filter_terms(
                (*known, *words, *reply.value.options), attribute, class_name, brief.classes
            )
            fresh = tuple(word for word in said.kept if canonical_key(word) not in there)
            gained = len(fresh) > len(words)
            words = fresh
            if len(words) >= count or not (
                reply.cut or (gained and len(words) < self.values_per_attribute)
            ):
                break
            wanted = count - len(words) if gained else max(1, wanted // 2)
        if not words:
            raise WorkError(
                f"{model.name} knows no {'more ' if known else ''}{attribute} of {class_name}: "
                "try another model, or add words by hand"
            )
        return words[:count]
