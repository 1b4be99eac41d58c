"""Features from a network of timm: what it gives without its last layer."""

from typing import Any

from pydantic import ConfigDict, Field

from adc_plugins_learn.encoding.network_encoder import FrozenNetwork, NetworkEncoder
from adc_plugins_learn.training.networks.timm import (
    build_timm,
    import_timm,
    of_torch_hub,
    require_timm_name,
)
from adc_plugins_learn.training.networks.weights import DEFAULT, Weights


class TimmEncoder(NetworkEncoder):
    """Encodes images with any network of timm: DINOv2, ConvNeXt, EVA and a thousand more."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "resnet10t", "weights": "random", "image_size": 32}]
        }
    )

    model: str = Field(
        default="vit_small_patch14_dinov2.lvd142m",
        description="a model of timm, with the tag of its weights where there are several; or a "
        "DINOv2 as torch.hub calls it, such as dinov2_vits14",
    )
    weights: Weights = Field(
        default=DEFAULT,
        description="those of the name's tag, the path of a weights file, or random",
    )

    def open_network(self) -> tuple[str, FrozenNetwork]:
        """Build the network with timm, with the transform that its weights expect."""
        timm, name = import_timm(), of_torch_hub(self.model)
        require_timm_name(name)
        about = timm.get_pretrained_cfg(name)
        options: dict[str, Any] = {}
        if self.image_size != "auto" and about.fixed_input_size:
            options["img_size"] = self.image_size
        network = build_timm(name, 0, str(self.weights), **options)
        config = timm.data.resolve_model_data_config(network)
        if self.image_size != "auto":
            size = (3, self.image_size, self.image_size)
            config |= {"input_size": size, "crop_pct": 1.0, "crop_mode": "center"}
        prepare = timm.data.create_transform(**config)
        return name, FrozenNetwork.of(network, config["input_size"][-1], prepare)
