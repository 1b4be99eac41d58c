"""People whom Prolific or MTurk sends: one link for all, and the way back when they are done.

A worker's id is kept as a keyed hash alone, so that who comes again finds his own work.
"""

import hmac
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from adc_plugins_review.campaign.raters import Rater, add_rater, campaign_token, token_of
from adc_plugins_review.campaign.store import Refused, Store
from adc_plugins_review.campaign.tokens import make_token
from adc_plugins_review.web.guard import DESK, GUARD, go_to
from adc_plugins_review.web.pages import page

PROLIFIC = "https://app.prolific.com/submissions/complete"
MTURK_HOSTS = ("www.mturk.com", "workersandbox.mturk.com")
"""Where MTurk takes answers; a form is sent nowhere else."""

PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"

_LONGEST = 100


@dataclass(frozen=True)
class WayBack:
    """Where somebody goes when the work is done.

    Attributes:
        link: of Prolific; None for MTurk.
        submit: MTurk's address for the form; None for Prolific.
        assignment: MTurk's id of the piece of work.
        receipt: that shows MTurk's requester that the work was done here.
    """

    link: str | None = None
    submit: str | None = None
    assignment: str = ""
    receipt: str = ""


async def join(request: web.Request) -> web.Response:
    """Let in whoever has the study's link, under a link of his own.

    Raises:
        Refused: 404 without the right link, 400 without an id of a platform.
    """
    desk = request.app[DESK]
    known = await desk.read(campaign_token)
    if not hmac.compare_digest(known.encode(), request.match_info["campaign"].encode()):
        raise request.app[GUARD].miss(request)
    query = request.query
    if query.get("assignmentId") == PREVIEW:
        return page("preview", plan=desk.plan)
    worker = query.get("PROLIFIC_PID") or query.get("workerId") or ""
    assignment, submit = query.get("assignmentId", ""), query.get("turkSubmitTo", "")
    if not 0 < len(worker) <= _LONGEST or len(assignment) > _LONGEST:
        raise Refused(400, "this link lacks the id that your platform adds: open it from there")
    if submit and urlsplit(submit)[:2] not in [("https", host) for host in MTURK_HOSTS]:
        raise Refused(400, "this link leads back to another place than MTurk")
    way_back = f"{urlsplit(submit).netloc} {assignment}" if submit else "prolific"
    rater = await desk.write(add_rater, external=worker, way_back=way_back)
    return go_to(f"{_prefix(request)}/w/{await desk.read(token_of, rater.id)}")


def _prefix(request: web.Request) -> str:
    return urlsplit(request.app[DESK].public_url).path.rstrip("/")


def way_back_of(store: Store, rater: Rater) -> WayBack | None:
    """Return where somebody goes who has handed in a batch; None where a link was given by hand."""
    found = store.db.execute(
        "SELECT way_back, (SELECT count(*) FROM batch WHERE rater = ?1 AND submitted IS NOT NULL) "
        "FROM rater WHERE id = ?1",
        (rater.id,),
    ).fetchone()
    if found[0] is None or not found[1]:
        return None
    if found[0] == "prolific":
        code = store.meta("code")
        return None if code is None else WayBack(link=f"{PROLIFIC}?{urlencode({'cc': code})}")
    host, _, assignment = str(found[0]).partition(" ")
    return WayBack(
        submit=f"https://{host}/mturk/externalSubmit",
        assignment=assignment,
        receipt=make_token(store.key, "receipt", rater.id),
    )


def routes() -> list[web.RouteDef]:
    """List the addresses for platforms."""
    return [web.get(r"/join/{campaign:[A-Za-z0-9_-]{1,64}}", join)]
