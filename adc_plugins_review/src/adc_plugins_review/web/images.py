"""Images as a browser gets them: decoded, shrunk and encoded anew, never the bytes of the file."""

import io
from hashlib import sha256

from aiohttp import web
from PIL import Image, ImageDraw

from adc_core.images import ImageError, Images
from adc_plugins_review.campaign.answers import withdraw
from adc_plugins_review.campaign.dealing import find_image
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.web.guard import DESK, rater_in

SIDES = (256, 512, 1024)
MOST_ENLARGED = 3

CHANGED = "its image has changed since the plan was made"


def jpeg_of(images: Images, row: int, side: int) -> bytes:
    """Encode an image for the page: its longer side at most `side` pixels.

    A small one is enlarged, three times at the most. One that cannot be decoded becomes a grey
    one that says so.
    """
    try:
        image, _ = images.small(row, side)
    except ImageError:
        return grey("this image cannot be shown")
    factor = min(MOST_ENLARGED, side / max(image.size))
    if factor > 1:
        width, height = (max(1, round(length * factor)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return _encoded(image)


def grey(text: str) -> bytes:
    """Draw a grey image with a line of text."""
    image = Image.new("RGB", (256, 256), "#dddddd")
    ImageDraw.Draw(image).text((128, 128), text, "#333333", anchor="mm")
    return _encoded(image)


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def side_of(request: web.Request) -> int:
    """Return which size is asked for.

    Raises:
        Refused: 404 where there is no such size.
    """
    given = request.query.get("s", "512")
    if given not in map(str, SIDES):
        raise Refused(404, "there is no such image")
    return int(given)


async def worker_image(request: web.Request) -> web.Response:
    """Send an image of the rater's own batches, and no other."""
    rater = await rater_in(request)
    desk, side = request.app[DESK], side_of(request)
    item, row, digest, withdrawn = await desk.read(find_image, rater, int(request.match_info["n"]))
    images = desk.source.dataset.images
    assert images is not None

    def made() -> tuple[bool, bytes]:
        try:
            changed = sha256(images.encoded(row)[0]).digest() != digest
        except ImageError:
            changed = True
        return changed, grey("this image was withdrawn") if changed else jpeg_of(images, row, side)

    changed, content = await desk.decode(made)
    if changed and withdrawn is None:
        await desk.write(withdraw, [item], CHANGED)
    return image_response(request, content)


def image_response(request: web.Request, content: bytes) -> web.Response:
    """Answer with an image that the browser may keep for a day."""
    tag = sha256(content).hexdigest()[:32]
    headers = {"Cache-Control": "private, max-age=86400, immutable", "ETag": f'"{tag}"'}
    if request.headers.get("If-None-Match") == f'"{tag}"':
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, content_type="image/jpeg", headers=headers)
