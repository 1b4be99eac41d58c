"""Features from a network of the transformers library: CLIP, SigLIP, DINOv2 and others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationInfo
from torch import Tensor, nn
from torchvision import transforms

from adc_core import InputError, LocalPath, WorkError
from adc_plugins_learn.encoding.network_encoder import FrozenNetwork, NetworkEncoder
from adc_plugins_learn.encoding.text_tower import TextEncoder, TextTower
from adc_plugins_learn.training.data.normalize import IMAGENET_MEAN, IMAGENET_STD
from adc_plugins_learn.training.hardware.errors import is_out_of_memory
from adc_plugins_learn.training.networks.weights import RANDOM, cause_of, quiet

_LOCAL: TypeAdapter[Path] = TypeAdapter(LocalPath)


def _from_the_file(model: str | Path, info: ValidationInfo) -> str | Path:
    """Tell folders from names: both may hold a slash."""
    if str(model).startswith(("/", "./", "../", "~")):
        return _LOCAL.validate_python(model, context=info.context)
    return str(model)


_SIDE = 224
"""Image size of a network whose configuration does not say."""


class TransformersEncoder(NetworkEncoder, TextEncoder):
    """Encodes images with a network of transformers: CLIP, SigLIP, DINOv2, ConvNeXt and others.

    Of a model of images and texts these are the features that are compared with texts; of a
    model of images alone, its pooled features.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "mobilenet_v2", "weights": "random", "image_size": 32}]
        }
    )

    model: Annotated[str | Path, AfterValidator(_from_the_file)] = Field(
        default="openai/clip-vit-base-patch32",
        description="a name on the Hugging Face hub, or the folder of a saved model, such as "
        "./model; for random weights a model type, such as dinov2",
    )
    weights: Literal["saved", "random"] = Field(
        default="saved", description="those of the model, or drawn"
    )

    def open_network(self) -> tuple[str, FrozenNetwork]:
        """Build the network with transformers, with the transform that is saved beside it."""
        library, name = _import_transformers(), str(self.model)
        about: dict[str, Any] = {}
        if self.weights == RANDOM:
            config = _of_type(library, name)
            model = library.AutoModel.from_config(config)
            side = getattr(config, "image_size", _SIDE)
        else:
            model, about = self._saved(library)
            side = _side(about.get("crop_size") or about["size"])
        if self.image_size != "auto":
            side, about = self.image_size, about | {"size": self.image_size, "do_center_crop": True}
        return name, FrozenNetwork.of(_Pooled(model, name), side, _steps(about, side))

    def open_texts(self) -> TextTower:
        """Build the half for texts, with the tokenizer that is saved beside it."""
        library, name = _import_transformers(), str(self.model)
        if self.weights == RANDOM:
            raise InputError(f"{name} with random weights has no tokenizer: take saved weights")
        with _opening(self.model), quiet(), _without_bars(library):
            model = library.AutoModel.from_pretrained(self.model, trust_remote_code=False)
        if not hasattr(model, "get_text_features"):
            raise InputError(f"{name} has no half for texts: choose CLIP, SigLIP or another such")
        with _opening(self.model), quiet(), _without_bars(library):
            tokenizer = library.AutoTokenizer.from_pretrained(self.model, trust_remote_code=False)
        length = model.config.text_config.max_position_embeddings

        def tokenize(texts: Sequence[str]) -> Tensor:
            # Padded to the full length, as SigLIP was trained; CLIP looks no further than the end.
            made = tokenizer(
                list(texts),
                padding="max_length",
                truncation=True,
                max_length=length,
                return_tensors="pt",
            )
            tokens: Tensor = made["input_ids"]
            return tokens

        return TextTower(_TextFeatures(model), tokenize, float(model.logit_scale.detach().exp()))

    def _saved(self, library: ModuleType) -> tuple[Any, dict[str, Any]]:
        """Load the model, and the description of its image processor."""
        # Code that comes with a model must not run.
        options = {"trust_remote_code": False}
        with _opening(self.model), quiet(), _without_bars(library):
            model = library.AutoModel.from_pretrained(self.model, **options)
            processor = library.AutoImageProcessor.from_pretrained(self.model, **options)
        return model, processor.to_dict()


class _Pooled(nn.Module):
    def __init__(self, model: Any, name: str) -> None:
        super().__init__()
        self.model, self.name = model, name

    def forward(self, images: Tensor) -> Tensor:
        run = getattr(self.model, "get_image_features", self.model)
        found = run(pixel_values=images)
        pooled = found if isinstance(found, Tensor) else getattr(found, "pooler_output", None)
        if pooled is None:
            raise InputError(f"{self.name} has no pooled features: choose another model")
        flat: Tensor = pooled.flatten(1)
        return flat


class _TextFeatures(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        found = self.model.get_text_features(input_ids=tokens)
        features: Tensor = found if isinstance(found, Tensor) else found.pooler_output
        return features


def _steps(about: dict[str, Any], side: int) -> transforms.Compose:
    """Build the transform that an image processor describes, for PIL images."""
    how = transforms.InterpolationMode.BICUBIC
    if "resample" in about:
        how = _INTERPOLATIONS.get(about["resample"], how)
    size = about.get("size", side)
    whole = isinstance(size, dict) and "height" in size
    resized: Any = (size["height"], size["width"]) if whole else _side(size)
    steps: list[Any] = [transforms.Resize(resized, how)]
    if about.get("do_center_crop", not whole):
        steps.append(transforms.CenterCrop(side))
    mean, std = about.get("image_mean", IMAGENET_MEAN), about.get("image_std", IMAGENET_STD)
    if about.get("do_normalize") is False:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize(mean, std)])


_INTERPOLATIONS = {
    0: transforms.InterpolationMode.NEAREST,
    2: transforms.InterpolationMode.BILINEAR,
    3: transforms.InterpolationMode.BICUBIC,
}
"""By Pillow's numbers, which image processors are saved with."""


def _side(size: Any) -> int:
    """Return one side of a size of image processors: a number, a shortest edge, or both sides."""
    if isinstance(size, dict):
        return int(size.get("shortest_edge") or size["height"])
    return int(size)


def _of_type(library: ModuleType, name: str) -> Any:
    try:
        return library.AutoConfig.for_model(name)
    except ValueError:
        raise InputError(
            f'transformers has no model type "{name}": with random weights give one, such as dinov2'
        ) from None


@contextmanager
def _opening(model: str | Path) -> Iterator[None]:
    """Turn the many errors of the library, its servers and broken files into one line.

    Raises:
        InputError: the folder holds no model.
        WorkError: the model cannot be downloaded.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if isinstance(model, Path):
            raise InputError(
                f"{model} holds no model that transformers reads ({cause_of(error)}): save the "
                "model and its image processor there"
            ) from error
        raise WorkError(
            f"{model} cannot be downloaded ({cause_of(error)}): give the folder of a saved model, "
            "such as ./model"
        ) from error


@contextmanager
def _without_bars(library: ModuleType) -> Iterator[None]:
    shown = library.utils.logging.is_progress_bar_enabled()
    library.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            library.utils.logging.enable_progress_bar()


def _import_transformers() -> ModuleType:
    try:
        import transformers
    except ImportError:
        raise InputError(
            "models of transformers need it: pip install 'adc-plugins-learn[transformers]'"
        ) from None
    module: ModuleType = transformers
    return module
