"""Features of images, and of texts, from a CLIP model of open_clip."""

from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ConfigDict, Field
from torch import Tensor, nn

from adc_core import InputError
from adc_core.errors import unknown_name
from adc_plugins_learn.encoding.network_encoder import FrozenNetwork, NetworkEncoder
from adc_plugins_learn.encoding.text_tower import TextEncoder, TextTower
from adc_plugins_learn.training.networks.weights import (
    RANDOM,
    Weights,
    downloading,
    fitted_by_library,
    is_weights_file,
    quiet,
    read_weights,
)


class _ImageTower(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.model.encode_image(images)
        return features


class _TextTower(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        features: Tensor = self.model.encode_text(tokens)
        return features


class OpenClipEncoder(NetworkEncoder, TextEncoder):
    """Encodes images with the image tower of a CLIP model, of those that open_clip has."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "ViT-S-32-alt", "weights": "random", "image_size": 64}]
        }
    )

    model: str = Field(default="ViT-B-32", description="a model of open_clip")
    weights: Weights = Field(
        default="laion2b_s34b_b79k",
        description="a name that open_clip has for the model, the path of a weights file of both "
        "towers, or random",
    )

    def open_network(self) -> tuple[str, FrozenNetwork]:
        """Build the image tower with open_clip, with the transform that its weights expect."""
        model, prepare = self._open(_import_open_clip())
        size = model.visual.preprocess_cfg["size"]
        side = size if isinstance(size, int) else size[0]
        return self.model, FrozenNetwork.of(_ImageTower(model), side, prepare)

    def open_texts(self) -> TextTower:
        """Build the text tower with open_clip, with the tokenizer of the model."""
        library = _import_open_clip()
        model, _ = self._open(library)
        with downloading("tokenizer", self.model):
            tokenizer = library.get_tokenizer(self.model)
        return TextTower(
            _TextTower(model),
            lambda texts: tokenizer(list(texts)),
            float(model.logit_scale.detach().exp()),
        )

    def _open(self, library: ModuleType) -> tuple[Any, Any]:
        """Return both towers, and the transform for images."""
        if self.model not in library.list_models():
            raise InputError(unknown_name("open_clip model", self.model, library.list_models()))
        options: dict[str, Any] = {"pretrained_text": False}
        if self.image_size != "auto":
            options["force_image_size"] = self.image_size
        model, _, prepare = self._create(library, options)
        return model, prepare

    def _create(self, library: ModuleType, options: dict[str, Any]) -> Any:
        weights, create = str(self.weights), library.create_model_and_transforms
        if weights == RANDOM:
            with quiet():
                return create(self.model, **options)
        if is_weights_file(weights):
            read_weights(Path(weights))  # refuses other files before the library reads them
            with quiet(), fitted_by_library(weights):
                return create(self.model, pretrained=weights, **options)
        tags = library.list_pretrained_tags_by_model(self.model)
        if weights not in tags:
            raise InputError(unknown_name(f"weights of {self.model}", weights, [*tags, RANDOM]))
        with downloading(weights, self.model):
            return create(self.model, pretrained=weights, **options)


def _import_open_clip() -> ModuleType:
    try:
        import open_clip
    except ImportError:
        raise InputError(
            "CLIP models of open_clip need it: pip install 'adc-plugins-learn[open-clip]'"
        ) from None
    module: ModuleType = open_clip
    return module
