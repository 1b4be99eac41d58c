"""What a language model is asked about the classes of a dataset."""

from collections.abc import Sequence

from adc_core import Brief

_ATTRIBUTES_TO_NAME = 8


def system(brief: Brief) -> str:
    """Return what is said before every question."""
    return (
        f"You help to design a labelled image dataset of {brief.subject}. Name only what can be "
        "seen on a photograph and what people write into an image search."
    )


def ask_attributes(class_name: str) -> str:
    """Ask by what a class varies."""
    return (
        f"By which attributes do people tell one {class_name} from another on pictures? Name "
        f"{_ATTRIBUTES_TO_NAME}, the most common first, in one or two words each."
    )


def ask_options(class_name: str, attribute: str, count: int, known: Sequence[str]) -> str:
    """Ask for values of an attribute, beside those that are known."""
    lines = [
        f"Show me {count} ways to describe {attribute} of {class_name}.",
        f"Each in one to three words, all different, without the word {class_name}.",
    ]
    if known:
        lines.append(f"None of these, which I have: {', '.join(known)}.")
    return "\n".join(lines)


def ask_groups(class_name: str, attribute: str, words: Sequence[str]) -> str:
    """Ask which of these values are right, and which belong together."""
    return (
        f"These words shall describe {attribute} of {class_name}: {', '.join(words)}.\n"
        f"First remove those that are wrong (no {attribute}, or not seen on {class_name}) and "
        "those that repeat another. Then sort all others into groups, each word as it stands."
    )
