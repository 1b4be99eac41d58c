"""Small pictures as text that a page can hold."""

import base64
import io

from adc_core.images.decoding import ImageError
from adc_core.images.sequence import Images


def data_url(images: Images | None, row: int, side: int) -> str:
    """A square picture as a data URL; empty where there is none or it cannot be opened."""
    if images is None:
        return ""
    file = io.BytesIO()
    try:
        images.thumbnail(row, side).save(file, "JPEG", quality=85)
    except ImageError:
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
