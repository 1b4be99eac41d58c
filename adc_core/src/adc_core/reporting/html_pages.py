"""What the HTML pages of packages share: how templates are found, style, small images."""

import base64
import io
from typing import TYPE_CHECKING

from adc_core.images.decoding import ImageError
from adc_core.images.sequence import Images

if TYPE_CHECKING:  # a package that makes pages brings jinja2; the core does without
    from jinja2 import Environment


def page_environment(package: str) -> "Environment":
    """Make an environment that finds a package's templates, and `style.html.j2` of the core.

    Args:
        package: where the templates are: `my_package.pages`.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(name, ".") for name in (package, __package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_url(images: Images | None, row: int, side: int) -> str:
    """Give a square image as a data URL; empty where there is none or it cannot be opened."""
    if images is None:
        return ""
    file = io.BytesIO()
    try:
        images.thumbnail(row, side).save(file, "JPEG", quality=85)
    except ImageError:
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
