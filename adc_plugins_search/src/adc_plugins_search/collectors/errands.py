"""What is to be fetched: one errand for each distinct address that may be fetched at all."""

from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from yarl import URL

from adc_plugins_search.collectors.outcomes import Errand, Reason, Refused
from adc_plugins_search.collectors.searching import Found
from adc_plugins_search.licences import code_of
from adc_plugins_search.searchers.folder import FolderSearcher


def errands_of(
    found: Sequence[Found], allow_licences: Collection[str] = ()
) -> list[Errand | Refused]:
    """The errand of each hit; hits with the same address share one.

    Only hits of a `FolderSearcher` may name local files, and only below its own folder.

    Args:
        found: every hit.
        allow_licences: codes of the licences under which a picture may be fetched; none for any.
    """
    known: dict[tuple[str, Path | None], Errand] = {}
    return [
        _errand(each, known) if not allow_licences else _licensed(each, known, allow_licences)
        for each in found
    ]


def _licensed(
    found: Found, known: dict[tuple[str, Path | None], Errand], allowed: Collection[str]
) -> Errand | Refused:
    if code_of(found.hit.licence) in allowed:
        return _errand(found, known)
    return Refused(Reason.LICENCE, found.hit.licence or "none is known")


def _errand(found: Found, known: dict[tuple[str, Path | None], Errand]) -> Errand | Refused:
    url = found.hit.url
    root = found.searcher.root if isinstance(found.searcher, FolderSearcher) else None
    if root is None:
        try:
            address = URL(url)
            host = address.host
        except ValueError as error:
            return Refused(Reason.FORBIDDEN, f"no address: {error}")
        if address.scheme not in ("http", "https") or not host:
            return Refused(Reason.FORBIDDEN, "not an http or https address")
        url = canonical(address)
    elif not url.startswith("file:///"):
        return Refused(Reason.FORBIDDEN, "not a file address")
    if (url, root) not in known:
        known[url, root] = Errand(url, id_of(url), root)
    return known[url, root]


def canonical(address: URL) -> str:
    """One spelling for each web address: host in lower case, no default port, no fragment."""
    return str(address.with_fragment(None))


def id_of(url: str) -> str:
    """The id of the sample behind a canonical address; adding queries never renames a sample."""
    return sha256(url.encode()).hexdigest()[:20]
