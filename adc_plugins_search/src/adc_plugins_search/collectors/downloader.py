"""The collector for web images: search, fetch, verify, store, assemble; resumable throughout."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import aiohttp
import pyarrow.parquet as pq
from pydantic import Field, field_validator

from adc_core.dataset import Dataset
from adc_core.decoding import MAX_PIXELS
from adc_core.design import Design
from adc_core.errors import InputError, WorkError
from adc_core.fingerprint import hash_file
from adc_core.interfaces import Collector, Searcher
from adc_core.work import progress, work_folder
from adc_plugins_search.collectors.address_guard import resolve, split_endpoint
from adc_plugins_search.collectors.assembling import (
    Assembled,
    assemble,
    dataset_of,
    refused_table,
)
from adc_plugins_search.collectors.errands import Errand, errands_of
from adc_plugins_search.collectors.fetching import FetchRules, fetch_all
from adc_plugins_search.collectors.journal import Journal
from adc_plugins_search.collectors.outcomes import Outcome, Refused, Stored
from adc_plugins_search.collectors.searching import search_all
from adc_plugins_search.collectors.verifying import PictureRules
from adc_plugins_search.manners import user_agent


class Downloader(Collector):
    """Downloads the images that searchers find, checks them and drops exact duplicates.

    Every picture is decoded in full, turned upright, converted to RGB, shrunk so that its shorter
    side is `size`, and stored as a JPEG without metadata. Of pictures that are stored alike the
    first one is kept, in the order of queries, searchers and rank; where the others were found for
    another class, the column `also_found_as` of the sources names it.

    The dataset's ids come from the images' addresses, its order from the design; it does not depend
    on the order in which images arrive, on retries or on interruptions. Every hit that is not in it
    stands in `refused.parquet` in the work folder, with its reason.

    Addresses in private networks are refused, also behind names and redirects, unless
    `allow_hosts` lists them. Local files are read for the `folder` searcher only, and only below
    its folder.
    """

    pace: ClassVar[tuple[str, ...]] = ("workers", "per_host", "searches", "max_wait")

    size: int = Field(
        256, ge=8, description="length of the shorter side, in pixels; never enlarged"
    )
    min_side: int = Field(32, ge=1, description="refuse pictures with a shorter side, in pixels")
    max_pixels: int = Field(MAX_PIXELS, ge=1, description="refuse larger pictures undecoded")
    max_bytes: int = Field(20_000_000, ge=1, description="refuse larger files")
    workers: int = Field(32, ge=1, description="images fetched at the same time")
    per_host: int = Field(4, ge=1, description="images fetched at the same time from one host")
    searches: int = Field(8, ge=1, description="searches at the same time")
    timeout: float = Field(30, gt=0, description="seconds for one image, from first to last byte")
    connect_timeout: float = Field(8, gt=0, description="seconds until a connection stands")
    read_timeout: float = Field(10, gt=0, description="seconds between two pieces of an image")
    retries: int = Field(3, ge=0, description="further attempts after an error that may pass")
    backoff: float = Field(1, ge=0, description="seconds before the first of them, then doubled")
    max_wait: float = Field(300, ge=0, description="longest pause, in seconds, a service may ask")
    contact: str = Field(
        "",
        pattern=r"^[ -~]*$",
        description="address at which servers' owners can reach you, sent with every request",
    )
    allow_hosts: tuple[str, ...] = Field(
        (), description="private addresses to fetch from all the same, as host:port"
    )

    @field_validator("allow_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            split_endpoint(host)
        return hosts

    def collect(self, design: Design, searchers: Sequence[Searcher]) -> Dataset:
        """Collect the images of a design; see `adc_core.interfaces.Collector`."""
        folder = work_folder()
        fetch_rules = self._fetch_rules()  # its faults shall show before a search is paid for
        with closing(Journal(folder / "journal.sqlite", self.fingerprint)) as journal:
            found = search_all(
                design, searchers, journal, threads=self.searches, max_wait=self.max_wait
            )
            if not found:
                journal.forget_pages()
                raise InputError(
                    f"no images were found for any of the {len(design.queries)} queries, such as "
                    f"{design.queries[0].text!r}: use simpler words, or other searchers"
                )
            errands = errands_of(found)
            outcomes = self._fetch(errands, folder / "images", journal, fetch_rules)
            assembled = assemble(found, errands, outcomes)
            if not assembled.samples:
                journal.forget_outcomes()
                raise InputError(_all_refused(assembled))
        _write_refused(assembled, folder)
        return dataset_of(assembled, design, folder / "images")

    def _fetch(
        self,
        errands: Sequence[Errand | Refused],
        images: Path,
        journal: Journal,
        rules: FetchRules,
    ) -> dict[str, Outcome]:
        """What became of each errand's file, from the journal where it stands there."""
        wanted = {errand.file: errand for errand in errands if isinstance(errand, Errand)}
        outcomes = {
            file: outcome
            for file, outcome in journal.outcomes().items()
            if file in wanted and _is_there(images / file, outcome)
        }
        left = [errand for file, errand in wanted.items() if file not in outcomes]
        progress(len(outcomes), len(wanted), "image")
        with closing(fetch_all(left, images, self._picture_rules(), rules)) as fetched:
            for errand, outcome in fetched:
                journal.add_outcome(errand.file, outcome)
                outcomes[errand.file] = outcome
                progress(len(outcomes), len(wanted), "image")
        return outcomes

    def _picture_rules(self) -> PictureRules:
        return PictureRules(self.size, self.min_side, self.max_pixels)

    def _fetch_rules(self) -> FetchRules:
        return FetchRules(
            workers=self.workers,
            per_host=self.per_host,
            timeout=aiohttp.ClientTimeout(
                total=self.timeout,
                sock_connect=self.connect_timeout,
                sock_read=self.read_timeout,
            ),
            retries=self.retries,
            backoff=self.backoff,
            max_wait=self.max_wait,
            max_bytes=self.max_bytes,
            user_agent=user_agent(self.contact),
            allowed=resolve(self.allow_hosts),
        )


def _is_there(path: Path, outcome: Outcome) -> bool:
    """Whether an outcome of an earlier attempt still holds."""
    if isinstance(outcome, Stored):
        return path.is_file() and hash_file(path) == outcome.stored_sha256
    return True


def _all_refused(assembled: Assembled) -> str:
    counts = ", ".join(f"{count} {reason}" for reason, count in assembled.reasons.most_common())
    example, refused = assembled.refusals[0]
    return (
        f"none of the {len(assembled.refusals)} images that were found could be used ({counts}); "
        f"{example.url!r} was refused: {refused.detail}; check the network and the options"
    )


def _write_refused(assembled: Assembled, folder: Path) -> None:
    path, part = folder / "refused.parquet", folder / "refused.parquet.part"
    try:
        pq.write_table(refused_table(assembled), part)
        part.replace(path)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}") from error
