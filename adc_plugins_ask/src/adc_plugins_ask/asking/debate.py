"""A debate on a doubtful label: one side for it, one against, and a judge."""

from adc_endpoint import ImageChat, SentImage, without_thinking
from adc_plugins_ask.answers.plain_text import plain
from adc_plugins_ask.answers.refusal import refuses
from adc_plugins_ask.answers.yes_no import read_one
from adc_plugins_ask.asking.sent_images import UndecodableError
from adc_plugins_ask.questions.class_questions import ONE_WORD, article

_MOST_LETTERS = 1500
"""Of one speech, so that the judge's prompt has a bound."""


def debate(
    chat: ImageChat, image: SentImage, class_name: str, rounds: int, *, against_first: bool
) -> bool | None:
    """Let one model argue for a label and against it, and then judge.

    Each side speaks `rounds` times and hears what was said before; the last word weighs most, so
    that callers alternate who begins. After VHD11K (NeurIPS 2024 datasets track).

    Args:
        chat: who speaks and judges.
        image: what is shown with every speech.
        class_name: the label.
        rounds: speeches of each side.
        against_first: whether the side against begins.

    Returns:
        Whether the label is right; None where a side or the judge declines, or is unsure.

    Raises:
        SpentError: the budget allows no further request.
    """
    claim = f"the image shows {article(class_name)}"
    said = ""
    for number in range(2 * rounds):
        against = (number % 2 == 0) == against_first
        part = "wrong" if against else "right"
        heard = f" Said so far:\n{said}\n" if said else " "
        prompt = (
            f"Somebody claims that {claim}. You argue that the claim is {part}; somebody else "
            f"argues the opposite.{heard}Say in at most three sentences what in the image speaks "
            "for your side."
        )
        if (speech := _speech(chat, image, prompt)) is None:
            return None
        said += f"{'Against' if against else 'For'}: {speech}\n"
    judged = _speech(
        chat,
        image,
        f"Somebody claims that {claim}. Two sides have argued:\n{said}Look at the image yourself. "
        f"Is the claim right? {ONE_WORD}",
    )
    word = None if judged is None else read_one(judged)
    return None if word in (None, "unsure") else word == "yes"


def _speech(chat: ImageChat, image: SentImage, prompt: str) -> str | None:
    """Return what is said, without thoughts and marks; None for a refusal."""
    try:
        turn = chat.ask(prompt, image)
    except UndecodableError:
        return None
    if turn.refusal is not None or refuses(turn.answer):
        return None
    return plain(without_thinking(turn.answer))[:_MOST_LETTERS] or None
