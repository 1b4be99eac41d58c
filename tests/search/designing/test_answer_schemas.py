"""Texts of models, in all their forms."""

import json

import pytest

from adc_endpoint import read_answer
from adc_plugins_search.llm.answer_schemas import Group, GroupsAnswer, WordsAnswer

WORDS = WordsAnswer(options=["fair isle", "cable knit"])


@pytest.mark.parametrize(
    "text",
    [
        '{"options": ["fair isle", "cable knit"]}',
        '```json\n{"options": ["fair isle", "cable knit"]}\n```',
        'Sure! Here they are:\n\n```\n{"options": ["fair isle", "cable knit"]}\n```\nEnjoy!',
        'Sure: {"options": ["fair isle", "cable knit"]} – shall I go on {as you like}?',
        'A set {of two}: {"options": ["fair isle", "cable knit"]}',
        '["fair isle", "cable knit"]',
        '<think>{"options": ["no"]} or 1. what\n2. else?</think>{"options": ["fair isle", '
        '"cable knit"]}',
        "Here you are:\n1. Fair isle\n2) Cable knit: with braids\n".replace("F", "f").replace(
            "C", "c"
        ),
        "- **fair isle**\n- “cable knit” - with braids",
        "* fair isle\n\n* cable knit",
    ],
)
def test_lists(text):
    found = read_answer(text, WordsAnswer)
    assert [word.strip("“”") for word in found.options] == WORDS.options


GROUPS = GroupsAnswer(
    groups=[Group(name="Neutrals", options=["ash", "beige"]), Group(name="Blues", options=["navy"])]
)


@pytest.mark.parametrize(
    "text",
    [
        GROUPS.model_dump_json(),
        f"I've removed the duplicates:\n```json\n{GROUPS.model_dump_json(indent=2)}\n```",
        "Neutrals: ash, beige.\nBlues: navy",
        "**Neutrals:** ash, beige\n**Blues**: navy",
        "### Neutrals:\n- ash\n- beige\n### Blues:\n- navy",
        "1. Neutrals: ash, beige\n2. Blues: navy",
    ],
)
def test_groups(text):
    assert read_answer(text, GroupsAnswer) == GROUPS


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("I like sweaters a lot.", WordsAnswer, "there is no JSON and no list in it"),
        ("- only one", WordsAnswer, "there is no JSON and no list in it"),
        ('{"colours": ["ash"]}', WordsAnswer, "options: Field required"),
        ('{"options": "ash"}', WordsAnswer, "options: Input should be a valid list"),
        ('{"options": ["ash", 3]}', WordsAnswer, "options.1: Input should be a valid string"),
        ('{"groups": {"Blues": ["navy"]}}', GroupsAnswer, "groups: Input should be a valid list"),
        ("They are all fine.", GroupsAnswer, "there is no JSON and no list in it"),
    ],
)
def test_faults(text, shape, message):
    with pytest.raises(ValueError) as raised:
        read_answer(text, shape)
    assert str(raised.value) == message


@pytest.mark.parametrize("end", range(1, len(WORDS.model_dump_json())))
def test_of_a_cut_list_the_whole_words_count(end):
    found = read_answer(WORDS.model_dump_json()[:end], WordsAnswer, cut=True).options
    assert found == WORDS.options[: len(found)]
    assert len(found) == sum(f'"{word}"' in WORDS.model_dump_json()[:end] for word in WORDS.options)


def test_of_a_cut_text_the_whole_lines_count():
    assert read_answer("1. ash\n2. beige\n3. bla", WordsAnswer, cut=True).options == [
        "ash",
        "beige",
    ]
    assert read_answer("<think>Let me see: a, b", WordsAnswer, cut=True).options == []


@pytest.mark.parametrize("end", range(1, len(GROUPS.model_dump_json())))
def test_of_cut_groups_the_whole_ones_count(end):
    found = read_answer(GROUPS.model_dump_json()[:end], GroupsAnswer, cut=True).groups
    assert found == GROUPS.groups[: len(found)]


def test_a_cut_answer_that_is_whole_counts_whole():
    assert read_answer(GROUPS.model_dump_json(), GroupsAnswer, cut=True) == GROUPS


def test_nothing_is_an_answer():
    assert read_answer('{"options": []}', WordsAnswer).words == []
    assert read_answer('{"groups": [{"name": "x", "options": []}]}', GroupsAnswer).words == []


@pytest.mark.parametrize("shape", [WordsAnswer, GroupsAnswer])
def test_the_form_that_prompts_show_is_right(shape):
    shape.model_validate(json.loads(shape.example()))


@pytest.mark.parametrize("text", ["[" * 200_000, '{"options":' * 100_000, "Sure: " + "[" * 200_000])
@pytest.mark.parametrize("shape", [WordsAnswer, GroupsAnswer])
def test_nesting_without_end_is_no_answer(text, shape):
    with pytest.raises(ValueError, match="there is no JSON and no list in it"):
        read_answer(text, shape)


def test_a_cut_group_nested_without_end_is_none():
    text = '{"name": "a", "options": ' + "[" * 100_000
    assert read_answer(text, GroupsAnswer, cut=True) == GroupsAnswer(groups=[])
