"""The other half of models of images and texts: what turns a text into a vector beside images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from adc_core import progress
from adc_core.arrays import Array
from adc_plugins_learn.training.hardware.devices import find_device, seeded

_BATCH = 256


@dataclass(frozen=True)
class TextTower:
    """A frozen model's half for texts.

    Attributes:
        network: B × length tokens, as `tokenize` makes them, to B × D vectors.
        tokenize: texts to what the network takes; what is too long is cut.
        scale: what cosines of images and texts are multiplied by before a softmax.
    """

    network: nn.Module
    tokenize: Callable[[Sequence[str]], Tensor]
    scale: float


class TextEncoder(ABC):
    """An encoder of images whose model has a half for texts, in the same space."""

    device: str
    seed: int

    @abstractmethod
    def open_texts(self) -> TextTower:
        """Return the half for texts; random weights come from torch's global generator.

        Raises:
            InputError: the model has none.
        """

    def encode_texts(self, texts: Sequence[str]) -> tuple[Array, float]:
        """Encode texts, each distinct one once.

        Returns:
            N × D float32, of unit length; and the scale of cosines.

        Raises:
            InputError: no such model or weights, or the model has no half for texts.
            WorkError: official weights cannot be downloaded.
        """
        device = find_device(self.device)
        with seeded(self.seed):
            tower = self.open_texts()
        network = tower.network.to(device).eval()
        distinct = list(dict.fromkeys(texts))
        parts = []
        with torch.inference_mode():
            for start in range(0, len(distinct), _BATCH):
                tokens = tower.tokenize(distinct[start : start + _BATCH]).to(device)
                found = nn.functional.normalize(network(tokens).float(), dim=1)
                parts.append(found.cpu())
                progress(min(start + _BATCH, len(distinct)), len(distinct), "text")
        place = {text: number for number, text in enumerate(distinct)}
        vectors: Array = torch.cat(parts).numpy()[[place[text] for text in texts]]
        return vectors, tower.scale
