"""A scripted model that sees: it decodes what it is shown, and answers by the image's mean color.

Red is a sweater, green a shawl, blue a vest. It answers questions of the form "Is there a sweater
in this image?", "Is the cloth red?" and "Is it a shawl rather than a sweater?" truly, chooses
letters, and makes such questions when it is asked for some without an image.
"""

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from chat_server import ChatServer, Reply, says
from PIL import Image

COLORS = {"sweater": "red", "shawl": "green", "vest": "blue"}
RGB = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220)}
NAMES = tuple(COLORS)


def shown(request: dict[str, Any]) -> Image.Image | None:
    """The image of a request, checked to be what may be sent; None where there is none."""
    content = request["messages"][-1]["content"]
    if isinstance(content, str):
        return None
    (part,) = [one for one in content if one["type"] == "image_url"]
    head, _, data = part["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format == "JPEG" and image.mode == "RGB" and not dict(image.getexif())
    assert "comment" not in image.info
    return image


def about_images(chat: ChatServer) -> list[dict[str, Any]]:
    """The requests that show an image."""
    return [one for one in chat.requests if not isinstance(one["messages"][-1]["content"], str)]


def text_of(request: dict[str, Any]) -> str:
    """The question of a request, without what is said before it."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-2]["text"]


def color_seen(image: Image.Image) -> str:
    """What the mean color is nearest to."""
    mean = np.asarray(image).reshape(-1, 3).mean(axis=0)
    return min(RGB, key=lambda color: np.abs(mean - RGB[color]).sum())


def truth(question: str, seen: str, color: str) -> bool:
    """Whether yes is the true answer."""
    if found := re.search(r"Is it an? (\w+) rather", question):
        return found[1] == seen
    if found := re.search(r"Is the cloth (\w+)\?", question):
        return found[1] == color
    found = re.search(r"(?:Is there|the image shows) an? (\w+)", question)
    assert found, question
    return found[1] == seen


@dataclass
class Seeing:
    """The model; its fields say how it misbehaves.

    Attributes:
        colors: of the classes.
        lies: share of single answers that are turned round, chosen by the hash of what is asked.
        always: what it says to every question, or None.
        usage: tokens that it tells, or None.
        logprobs: whether it gives candidates for the first token.
        bias: what it adds to the log probability of the first option.
        text: makes its text of the answers.
        sizes: of the images that it was shown.
    """

    colors: Mapping[str, str] = field(default_factory=lambda: COLORS)
    lies: float = 0
    always: str | None = None
    usage: tuple[int, int] | None = (900, 12)
    logprobs: bool = False
    bias: float = 0
    text: Callable[[list[str]], str] = lambda answers: json.dumps({"answers": answers})
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, request: dict[str, Any]) -> Reply:
        image, asked = shown(request), text_of(request)
        if image is None:
            return says(json.dumps({"questions": self._made(asked)}), usage=self.usage)
        self.sizes.append(image.size)
        color = color_seen(image)
        seen = next(name for name, one in self.colors.items() if one == color)
        if options := re.findall(r"^([A-Z])\. (.+)$", asked, re.MULTILINE):
            return self._choose(options, seen, request)
        if side := re.search(r"You argue that the claim is (\w+)", asked):
            return says(f"What I see says it is {side[1]}.", usage=self.usage)
        questions = re.findall(r"^\d+\. (.+)$", asked, re.MULTILINE) or [asked]
        salt = hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
        answers = [self._say(question, seen, color, salt) for question in questions]
        single = len(questions) == 1 and not re.search(r"^1\. ", asked, re.MULTILINE)
        return says(answers[0] if single else self.text(answers), usage=self.usage)

    def _say(self, question: str, seen: str, color: str, salt: str) -> str:
        if self.always:
            return self.always
        right = truth(question, seen, color)
        draw = int(hashlib.sha256(f"{question}{salt}".encode()).hexdigest()[:8], 16) / 2**32
        return "yes" if right != (draw < self.lies) else "no"

    def _choose(self, options: list[tuple[str, str]], seen: str, request: dict[str, Any]) -> Reply:
        texts = [text for _, text in options]
        chosen = texts.index(seen) if seen in texts else len(texts) - 1
        if not (self.logprobs and request.get("logprobs")):
            return says(options[chosen][0], usage=self.usage)
        logits = np.array([1.0 if place == chosen else 0.0 for place in range(len(texts))])
        logits[0] += self.bias
        logs = logits - np.log(np.exp(logits).sum())
        candidates = [
            {"token": f" {letter}" if place % 2 else letter, "logprob": float(log)}
            for place, ((letter, _), log) in enumerate(zip(options, logs, strict=True))
        ]
        best = options[int(logits.argmax())][0]
        body = json.loads(says(best, usage=self.usage).pieces[0])
        body["choices"][0]["logprobs"] = {"content": [{"token": best, "top_logprobs": candidates}]}
        return Reply((json.dumps(body).encode(),))

    def _made(self, asked: str) -> list[dict[str, str]]:
        """Questions about the class that the prompt is about."""
        found = re.search(r"image labelled (\w+) shows", asked)
        assert found, asked
        name = found[1]
        first, second = (other for other in self.colors if other != name)
        return [
            {"text": f"Is the cloth {self.colors[name]}?", "expected": "yes"},
            {"text": f"Is it a {first} rather than a {name}?", "expected": "no"},
            {"text": f"Is the cloth {self.colors[second]}?", "expected": "no"},
            {"text": f"Is it a {second} rather than a {name}?", "expected": "no"},
        ]


def squares(
    count: int, wrong: int = 0, side: int = 40, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images of noisy squares, their labels, and which of these are wrong."""
    rng = np.random.default_rng(seed)
    true = np.arange(count) % len(NAMES)
    colors = np.array([RGB[COLORS[name]] for name in NAMES])
    noise = rng.integers(-25, 25, (count, side, side, 3))
    images = np.clip(colors[true][:, None, None] + noise, 0, 255).astype(np.uint8)
    labels, mask = true.copy(), np.zeros(count, bool)
    mask[rng.choice(count, wrong, replace=False)] = True
    labels[mask] = (labels[mask] + 1) % len(NAMES)
    return images, labels, mask
