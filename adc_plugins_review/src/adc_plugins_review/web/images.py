"""The addresses of images."""

from hashlib import sha256

from aiohttp import web

from adc_plugins_review.campaign.answers import withdraw
from adc_plugins_review.campaign.dealing import find_image
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.web.guard import DESK, rater_in

SIDES = (256, 512, 1024)

CHANGED = "its image has changed since the plan was made"


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
    shown, content = await desk.decode(lambda: desk.images.get(row, side, digest))
    if not shown and withdrawn is None:
        await desk.write(withdraw, [item], CHANGED)
    return image_response(request, content)


def image_response(request: web.Request, content: bytes) -> web.Response:
    """Answer with an image that the browser may keep for a day."""
    tag = sha256(content).hexdigest()[:32]
    headers = {"Cache-Control": "private, max-age=86400, immutable", "ETag": f'"{tag}"'}
    if request.headers.get("If-None-Match") == f'"{tag}"':
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, content_type="image/jpeg", headers=headers)
