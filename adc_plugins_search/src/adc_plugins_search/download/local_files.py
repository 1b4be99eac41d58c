"""Local files, for searchers that search local folders, and only below those folders."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from adc_plugins_search.download.outcomes import Reason, RefusedError


def read_local(url: str, root: Path, max_bytes: int) -> bytes:
    """Read a `file:` address.

    Args:
        url: the address, as the searcher of `root` gave it.
        root: the folder that this searcher searches.
        max_bytes: larger files are refused unread.

    Raises:
        RefusedError: outside the folder (links are followed first), missing, or too large.
    """
    try:
        path = Path(url2pathname(urlsplit(url).path)).resolve(strict=True)
        if not path.is_relative_to(root.resolve()):
            raise RefusedError(Reason.FORBIDDEN, "outside the searcher's folder")
        if path.stat().st_size > max_bytes:
            raise RefusedError(Reason.TOO_LARGE, f"more than {max_bytes:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise RefusedError(Reason.NOT_FOUND, "no such file") from None
    except OSError as error:
        raise RefusedError(Reason.DENIED, error.strerror or str(error)) from None
