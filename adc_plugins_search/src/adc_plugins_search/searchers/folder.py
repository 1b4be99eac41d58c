"""A folder of one's own images, searched by the words in their paths."""

import os
from functools import cached_property
from pathlib import Path

from pydantic import ConfigDict, Field, field_validator

from adc_core import Hit, LocalPath, Page, Query, Searcher
from adc_core.images import SUFFIXES
from adc_plugins_search.terms.split_words import words

PAGE_SIZE = 100


class FolderSearcher(Searcher):
    """Finds images in a local folder tree by the words of their folders and names.

    An image answers a query when its path below the root holds every word of the class name.
    Images with more of the query's words come first, then those whose path sorts first. Words
    are runs of letters or of digits, upper and lower case alike: `knit/Beige_sweater-01.jpg` holds
    knit, beige, sweater and 01.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"root": "."}]})

    root: LocalPath = Field(description="the folder; its sub-folders are searched too")

    @field_validator("root")
    @classmethod
    def _check_root(cls, root: Path) -> Path:
        if not root.is_dir():
            raise ValueError(f"{root} is not a folder: give one that holds images")
        return root

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return up to a hundred hits with `file:` URLs; the cursor is how many came before."""
        start = int(cursor or 0)
        ranked = self._ranked(query)
        stop = start + PAGE_SIZE
        hits = tuple(
            Hit(
                url=(self.root.absolute() / path).as_uri(),
                query=query,
                engine="folder",
                rank=rank,
                title=path.stem,
            )
            for rank, path in enumerate(ranked[start:stop], start + 1)
        )
        return Page(hits=hits, cursor=str(stop) if stop < len(ranked) else None)

    @cached_property
    def words_of_files(self) -> dict[Path, frozenset[str]]:
        """Every image's path below the root, in order, with the words of the path."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(folder).relative_to(self.root)
            found += [below / name for name in names if not name.startswith(".")]
        images = sorted(path for path in found if path.suffix.lower() in SUFFIXES)
        return {path: words(" ".join(path.with_suffix("").parts)) for path in images}

    def _ranked(self, query: Query) -> list[Path]:
        needed, wanted = words(query.class_name), words(query.text)
        matches = {
            path: len(wanted & found)
            for path, found in self.words_of_files.items()
            if needed and needed <= found
        }
        return sorted(matches, key=lambda path: -matches[path])
