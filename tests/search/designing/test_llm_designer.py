"""The designer as a whole, against a model that knows some words and a server that misbehaves."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from adc_core import run_pipeline
from adc_core.components.context import work_context
from adc_core.errors import InputError, WorkError
from adc_core.records.design import Brief
from adc_core.runs.listeners import Listeners, hookimpl
from adc_core.runs.pipeline import Pipeline
from adc_plugins_search.designers.llm import LlmDesigner

BRIEF = Brief(subject="knitwear", classes=("sweater", "shawl"), samples_per_query=30)
WORDS = {
    "colour": ["Navy", "navy blue", "Cream", "Mustard", "zzz", "Coat", "burgundy", "Teal sweater"],
    "material": ["wool", "Wool", "cotton", "silk", "striped", "mohair"],
    "pattern": ["solid", "Fair Isle", "cable-knit", "stripes", "Striped"],
    "fit": ["loose", "tight"],
}


@pytest.fixture
def designer(chat, monkeypatch):
    monkeypatch.setenv("ADC_LLM_BASE_URL", chat.base_url)
    monkeypatch.setenv("ADC_LLM_MODEL", "tiny")

    def build(**options):
        return LlmDesigner(**{"values_per_attribute": 3, "candidates": 8} | options)

    return build


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path):
    with work_context(tmp_path / "work"):
        yield


def test_from_a_brief_to_a_design(chat, designer):
    chat.model = chat.knows(WORDS)
    design = designer().design(BRIEF)
    assert design.classes == ("sweater", "shawl")
    assert design.attributes == {
        "colour": ("navy", "mustard", "teal"),
        "material": ("wool", "cotton", "silk"),
        "pattern": ("solid", "fair isle", "cable knit"),
    }
    assert len(design.queries) == 2 * 27
    assert design.samples_per_query == 30
    first, second = design.queries[:2]
    assert first.text == "navy wool sweater"
    assert first.attributes == {"colour": "navy", "material": "wool", "pattern": "solid"}
    assert second.text == "navy wool fair isle sweater"


def test_what_is_asked(chat, designer):
    chat.model = chat.knows(WORDS)
    designer(max_attributes=1).design(Brief(subject="knitwear", classes=("sweater",)))
    forms = '{"options": ["…", "…"]}', '{"groups": [{"name": "…", "options": ["…", "…"]}]}'
    assert chat.prompts == [
        "By which attributes do people tell one sweater from another on pictures? Name 8, the most "
        f"common first, in one or two words each.\nAnswer with JSON only: {forms[0]}",
        "Show me 8 ways to describe colour of sweater.\nEach in one to three words, all different, "
        f"without the word sweater.\nAnswer with JSON only: {forms[0]}",
        "These words shall describe colour of sweater: navy, cream, mustard, zzz, burgundy, teal.\n"
        "First remove those that are wrong (no colour, or not seen on sweater) and those that "
        "repeat another. Then sort all others into groups, each word as it stands.\n"
        f"Answer with JSON only: {forms[1]}",
    ]
    assert chat.requests[0]["messages"][0]["content"] == (
        "You help to design a labelled image dataset of knitwear. Name only what can be seen on a "
        "photograph and what people write into an image search."
    )


def test_the_prompts_that_a_dry_run_shows_are_those_that_are_sent(chat, designer):
    chat.model = chat.knows(WORDS)
    brief = Brief(subject="knitwear", classes=("sweater",))
    one = designer(attributes=("colour", "fit"), values_per_attribute=2)
    titles, shown = zip(*one.prompts(brief), strict=True)
    assert not chat.requests
    one.design(brief)
    sent = [
        re.sub(r"(describe \w+ of \w+: ).*\.\n", r"\1<what was answered>.\n", p)
        for p in chat.prompts
    ]
    assert list(shown) == [chat.requests[0]["messages"][0]["content"], *sent]
    assert titles == (
        "said before every question",
        "colour of sweater",
        "refinement of colour of sweater",
        "fit of sweater",
        "refinement of fit of sweater",
    )


def test_attributes_that_are_given_are_not_asked_for(chat, designer):
    chat.model = chat.knows(WORDS)
    design = designer(
        attributes=("fit",), values_per_attribute=2, template="{class}, {fit}"
    ).design(BRIEF)
    assert [query.text for query in design.queries] == [
        "sweater, loose",
        "sweater, tight",
        "shawl, loose",
        "shawl, tight",
    ]
    assert len(chat.requests) == 4


def test_of_the_attributes_those_of_most_classes_are_taken(chat, designer):
    answers = iter([["Neckline", "Color"], ["colours", "fringe", "material"]])
    words = {"color": ["navy", "cream", "teal"], "neckline": ["crew", "turtle", "cowl"]}
    known = chat.knows(words)

    def model(request):
        if "By which attributes" in request["messages"][-1]["content"]:
            return chat.says(json.dumps({"options": next(answers)}))
        return known(request)

    chat.model = model
    assert tuple(designer(max_attributes=2).design(BRIEF).attributes) == ("color", "neckline")


def test_the_model_takes_words_away_but_brings_none(chat, designer):
    chat.script(
        chat.says('{"options": ["loose", "tight", "zany"]}'),
        chat.says(
            '{"groups": [{"name": "all", "options": ["Tight", "loose", "brand new", "coat"]}]}'
        ),
    )
    one = designer(attributes=("fit",), values_per_attribute=2)
    (proposal,) = one.propose(Brief(subject="x", classes=("sweater",)))
    assert proposal.groups == {"all": ["loose", "tight"]}
    assert proposal.chosen == ("loose", "tight")


def test_the_papers_raw_lists(chat, designer, table6):
    """All of Table 6 comes out in groups, without repetitions and misplaced words."""
    raw = {name: key["raw"] for name, key in table6.items()}
    chat.model = chat.knows(raw)
    one = designer(candidates=130, attributes=tuple(raw))
    proposals = list(one.propose(Brief(subject="clothes", classes=("garment",))))
    sizes = [sum(map(len, proposal.groups.values())) for proposal in proposals]
    assert sizes == [46, 45, 83]
    assert proposals[0].chosen == ("blue", "yellow", "black")


def test_what_was_cut_is_asked_for_without_what_is_there(chat, designer):
    words = {"fit": [f"f{n}" for n in range(40)]}
    known = chat.knows(words)
    chat.model = lambda request: (
        known(request)
        if "These words" in request["messages"][-1]["content"] or "None of" in str(request)
        else chat.says('{"options": ["f0", "f1", "f2", "f', finish="length")
    )
    one = designer(attributes=("fit",), candidates=30)
    (proposal,) = one.propose(Brief(subject="x", classes=("sweater",)))
    assert sum(map(len, proposal.groups.values())) == 30
    assert chat.prompts[1].startswith("Show me 27 ways to describe fit of sweater.\n")
    assert "None of these, which I have: f0, f1, f2." in chat.prompts[1]
    assert len(chat.requests) == 3


def test_groups_that_are_cut_are_asked_for_in_smaller_parts(chat, designer):
    """This endpoint never gives more than sixty letters."""
    known = chat.knows({"fit": ["apt", "big", "cosy", "droopy", "easy", "floppy", "great"]})

    def model(request):
        whole = json.loads(known(request).pieces[0])["choices"][0]["message"]["content"]
        if len(whole) > 60 and '"groups"' in whole:
            return chat.says(whole[:60], finish="length")
        return chat.says(whole)

    chat.model = model
    one = designer(attributes=("fit",), candidates=7)
    (proposal,) = one.propose(Brief(subject="x", classes=("sweater",)))
    assert list(proposal.groups) == [f"{letter} words" for letter in "abcdefg"]
    assert len(chat.requests) < 12


def test_an_endpoint_that_cuts_everything_is_given_up(chat, designer):
    chat.model = lambda _: chat.says("<think>Let me see", finish="length")
    with pytest.raises(WorkError) as raised:
        designer(attributes=("fit",)).design(BRIEF)
    assert str(raised.value) == (
        "tiny knows no fit of sweater: try another model, or add words by hand"
    )
    assert [prompt.split()[2] for prompt in chat.prompts] == ["8", "4", "2", "1"]


def test_too_few_are_asked_for_again_until_nothing_new_comes(chat, designer):
    chat.model = lambda request: chat.says(
        '{"groups": [{"name": "g", "options": ["loose"]}]}'
        if "These words" in request["messages"][-1]["content"]
        else '{"options": ["loose", "Loose"]}'
    )
    design = designer(attributes=("fit",)).design(Brief(subject="x", classes=("shirt",)))
    assert design.attributes == {"fit": ("loose",)}
    assert len(chat.requests) == 3


def test_more(chat, designer):
    chat.model = chat.knows(WORDS)
    found = designer().more(BRIEF, "shawl", "material", 3, ["wool", "Wool", "silk"])
    assert found == {"c words": ["cotton"], "m words": ["mohair"]}
    with pytest.raises(WorkError) as raised:
        designer().more(BRIEF, "shawl", "fit", 2, ["loose", "tight"])
    assert str(raised.value) == (
        "tiny knows no more fit of shawl: try another model, or add words by hand"
    )


def test_a_second_run_asks_nothing_and_is_the_same(chat, designer, monkeypatch):
    chat.model = chat.knows(WORDS)
    first = designer().design(BRIEF)
    chat.model = lambda _: chat.fails(500, "nobody may ask")
    monkeypatch.delenv("ADC_LLM_BASE_URL")
    assert designer().design(BRIEF) == first


def test_what_it_costs_is_told_meanwhile_and_written_at_the_end(chat, designer, tmp_path):
    chat.model = chat.knows(WORDS, usage=(1000, 20))
    one = designer(attributes=("fit",), values_per_attribute=2, price_in=3, price_out=15)
    told = []
    with work_context(tmp_path / "run", on_status=told.append):
        one.design(BRIEF)
        assert told == [
            "1 answer, 1,000 tokens in, 20 out, cost 0.0033",
            "2 answers, 2,000 tokens in, 40 out, cost 0.0066",
            "3 answers, 3,000 tokens in, 60 out, cost 0.0099",
            "4 answers, 4,000 tokens in, 80 out, cost 0.0132",
        ]
        written = json.loads((tmp_path / "run/spent.json").read_text())
        assert written == {
            "answers": 4,
            "uncounted": 0,
            "tokens_in": 4000,
            "tokens_out": 80,
            "cost": pytest.approx(0.0132),
        }
        # What is answered from memory costs nothing more.
        one.design(BRIEF)
    assert len(told) == 4
    assert json.loads((tmp_path / "run/spent.json").read_text()) == written


def test_a_run_that_broke_goes_on(chat, designer):
    known, count = chat.knows(WORDS), 0

    def model(request):
        nonlocal count
        count += 1
        return known(request) if count != 6 else chat.fails(402, "pay first")

    chat.model = model
    with pytest.raises(WorkError, match="pay first"):
        designer().design(BRIEF)
    design = designer().design(BRIEF)
    assert count == 1 + (2 + 2 * 3 * 2)
    assert len(design.queries) == 54


def test_turns_of_another_run_serve_by_their_file(chat, designer, tmp_path):
    chat.model = chat.knows(WORDS)
    first = designer().design(BRIEF)
    chat.model = lambda _: chat.fails(500, "nobody may ask")
    with work_context(tmp_path / "other"):
        again = designer(
            transcript=tmp_path / "work" / "turns.jsonl", values_per_attribute=3
        ).design(BRIEF)
    assert again == first
    fewer = designer(values_per_attribute=2).design(BRIEF)
    assert fewer.attributes["material"] == ("wool", "cotton")


def test_refusals_and_faults_end_in_one_line(chat, designer):
    chat.script(chat.says(None, refusal="No."))
    with pytest.raises(WorkError, match=r"^tiny refuses to answer: No\.; change the brief"):
        designer().design(BRIEF)
    chat.script(chat.says('{"options": ["class", "sweater"]}'), chat.says('{"options": ["Shawl"]}'))
    with pytest.raises(WorkError) as raised:
        designer(temperature=1).design(BRIEF)
    assert str(raised.value) == ("tiny named no attributes: give them, as attributes: [color]")
    chat.script(
        chat.says('{"options": ["loose", "tight"]}'),
        chat.says('{"groups": [{"name": "g", "options": ["blue"]}]}'),
    )
    with pytest.raises(WorkError) as raised:
        designer(attributes=("fit",), values_per_attribute=2).design(BRIEF)
    assert str(raised.value) == "tiny found no fit of sweater right: try another model"


def test_too_many_queries_are_refused(chat, designer):
    chat.model = chat.knows(WORDS)
    with pytest.raises(InputError) as raised:
        designer(max_queries=50).design(BRIEF)
    assert str(raised.value) == "the values make 54 queries, more than 50: choose fewer of them"


def test_what_is_missing_is_said(designer, monkeypatch):
    with pytest.raises(InputError) as raised:
        designer().design(Brief(subject="knitwear"))
    assert str(raised.value) == ("no classes: name them in the brief, as classes: [sweater, shirt]")
    monkeypatch.delenv("ADC_LLM_MODEL")
    with pytest.raises(InputError, match=r"^no model is named: "):
        designer().design(BRIEF)


def test_the_key_is_in_no_file(chat, designer, monkeypatch, tmp_path):
    monkeypatch.setenv("ADC_LLM_API_KEY", "sk-very-secret")
    chat.model = chat.knows(WORDS)
    designer().design(BRIEF)
    assert {headers["Authorization"] for headers in chat.headers} == {"Bearer sk-very-secret"}
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert set(files) == {"turns.jsonl", "spent.json"}
    assert not any(b"secret" in content for content in files.values())
    assert "secret" not in str(designer().identity) + repr(designer())


class Ears:
    """Hears what stages remark."""

    def __init__(self):
        self.heard = []

    @hookimpl
    def adc_stage_status(self, stage, text):
        self.heard.append(f"{stage}: {text}")


def test_a_run_keeps_the_turns_and_not_the_key(chat, designer, monkeypatch, tmp_path):
    monkeypatch.setenv("ADC_LLM_API_KEY", "sk-very-secret")
    chat.model = chat.knows({"style": ["handwritten"]})
    rng = np.random.default_rng(0)
    for name in ("three", "eight"):
        folder = tmp_path / "images" / name / "handwritten"
        folder.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / "a.png")
    pipeline = Pipeline.model_validate(
        {
            "brief": {"subject": "digits", "classes": ["three", "eight"]},
            "designer": {"use": "llm", "attributes": ["style"], "values_per_attribute": 1},
            "searchers": [{"use": "folder", "root": tmp_path / "images"}],
            "collector": {"use": "downloader", "min_side": 8},
        }
    )
    listeners, ears = Listeners(), Ears()
    listeners.register(ears)
    for _ in range(2):
        run_pipeline(pipeline, tmp_path / "run", listeners)
        assert len(chat.requests) == 4
    assert [line for line in ears.heard if line.startswith("designer")] == [
        "designer: 1 answer, 100 tokens in, 20 out",
        *(f"designer: {n} answers, {n}00 tokens in, {n * 20} out" for n in (2, 3, 4)),
    ]
    kept = (tmp_path / "run" / "designer" / "turns.jsonl").read_text().splitlines()
    assert [json.loads(line)["question"]["prompt"].split()[0] for line in kept] == [
        *("Show", "These", "Show", "These")
    ]
    token_usage = json.loads((tmp_path / "run" / "designer" / "spent.json").read_text())
    assert (token_usage["answers"], token_usage["tokens_in"], token_usage["tokens_out"]) == (
        4,
        400,
        80,
    )
    for path in (tmp_path / "run").rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes(), path
