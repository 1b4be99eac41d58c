"""What an earlier attempt has left: what is whole stays, the rest is fetched again."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from adc_plugins_search.download.images.shards import damaged_keys, tidy
from adc_plugins_search.download.journal import Journal

_SHARDS_AT_ONCE = 32


def recover(journal: Journal, folder: Path) -> None:
    """Remove what nobody knows of, and forget every image that is not as it was stored.

    Args:
        journal: knows the shards, and what is in them.
        folder: holds the shards; made if absent.

    Raises:
        WorkError: the folder cannot be made or tidied.
    """
    shards = journal.shards()
    tidy(folder, shards)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(shards), _SHARDS_AT_ONCE):
            names = shards[start : start + _SHARDS_AT_ONCE]
            members = [journal.stored_in(name) for name in names]
            for keys in threads.map(damaged_keys, repeat(folder), names, members):
                journal.forget(keys)
