"""What is to be fetched for a hit, if it may be fetched at all."""

from collections.abc import Collection
from hashlib import sha256

from adc_plugins_search.download.fetch_task import KEY_LENGTH, FetchTask
from adc_plugins_search.download.outcomes import Reason, Refused
from adc_plugins_search.download.searches.run_queries import SearchHit
from adc_plugins_search.download.web_address import parse_url
from adc_plugins_search.licenses import code_of
from adc_plugins_search.searchers.folder import FolderSearcher


def task_for(found: SearchHit, allow_licenses: Collection[str] = ()) -> FetchTask | Refused:
    """Return the fetch task of a hit; hits with the same URL have the same one.

    Only hits of a `FolderSearcher` may name local files, and only below its own folder.

    Args:
        found: the hit.
        allow_licenses: codes of the licenses under which an image may be fetched; none for any.
    """
    hit, url = found.hit, found.hit.url
    if allow_licenses and code_of(hit.license) not in allow_licenses:
        return Refused(Reason.LICENSE, hit.license or "none is known")
    root = found.searcher.root if isinstance(found.searcher, FolderSearcher) else None
    if root is None:
        try:
            address = parse_url(url)
        except ValueError as error:
            return Refused(Reason.FORBIDDEN, f"no address: {error}")
        if address.scheme not in ("http", "https") or not address.host:
            return Refused(Reason.FORBIDDEN, "not an http or https address")
        url = str(address)
    elif not url.startswith("file:///"):
        return Refused(Reason.FORBIDDEN, "not a file address")
    return FetchTask(url, id_of(url), root)


def id_of(url: str) -> str:
    """Return the id of the sample behind a canonical address; new queries never rename a sample."""
    return sha256(url.encode()).hexdigest()[:KEY_LENGTH]
