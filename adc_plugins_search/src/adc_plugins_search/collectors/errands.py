"""What is to be fetched: one errand for each distinct address that may be fetched at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from yarl import URL

from adc_plugins_search.collectors.outcomes import Reason, Refused
from adc_plugins_search.collectors.searching import Found
from adc_plugins_search.searchers.folder import FolderSearcher


@dataclass(frozen=True)
class Errand:
    """An address to fetch, for the class of the first hit that names it.

    Attributes:
        url: the address in its canonical form.
        file: where the picture goes, below the folder of images.
        root: the folder from which a `file:` address may be read; None for web addresses.
    """

    url: str
    file: str
    root: Path | None = None


def errands_of(found: Sequence[Found]) -> list[Errand | Refused]:
    """The errand of each hit; hits with the same address share the errand of the first.

    Only hits of a `FolderSearcher` may name local files, and only below its own folder.
    """
    known: dict[tuple[str, Path | None], Errand] = {}
    return [_errand(each, known) for each in found]


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
        known[url, root] = Errand(url, f"{found.hit.query.class_name}/{id_of(url)}.jpg", root)
    return known[url, root]


def canonical(address: URL) -> str:
    """One spelling for each web address: host in lower case, no default port, no fragment."""
    return str(address.with_fragment(None))


def id_of(url: str) -> str:
    """The id of the sample behind a canonical address; adding queries never renames a sample."""
    return sha256(url.encode()).hexdigest()[:20]
