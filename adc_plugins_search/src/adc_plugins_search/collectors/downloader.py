"""The collector for web images: search, fetch, verify, store, assemble; resumable throughout."""

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator
from yarl import URL

from adc_core import Dataset, Design, InputError, Searcher, progress, status, work_folder
from adc_core.components import HITS, REFUSED
from adc_core.images import MAX_PIXELS, MOST_BITS
from adc_plugins_search.download.fetch_task import KEY_LENGTH, FetchTask
from adc_plugins_search.download.fetching_options import FetchingOptions
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.http.opt_out import Rule
from adc_plugins_search.download.http.ssrf_guard import resolve, split_endpoint
from adc_plugins_search.download.images.shards import PART
from adc_plugins_search.download.images.verify import Decoder, ImageRules, check_installed
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.outcomes import Outcome, Refused, Stored
from adc_plugins_search.download.results.arrow_tables import small_tables
from adc_plugins_search.download.results.build_dataset import build_dataset, write_tables
from adc_plugins_search.download.results.deduplicate import HitOutcomes, NearDuplicates, deduplicate
from adc_plugins_search.download.results.outcome_messages import (
    all_refused_message,
    contact_needed_message,
    is_of_host_given_up,
    outcome_label,
    warn_of_hosts,
)
from adc_plugins_search.download.results.recovery import recover
from adc_plugins_search.download.searches.host_shares import (
    HostShares,
    duration_message,
    least_duration,
)
from adc_plugins_search.download.searches.run_queries import (
    SearchResults,
    run_queries,
)
from adc_plugins_search.download.searches.task_for_hit import task_for
from adc_plugins_search.download.workers.protocol import Job
from adc_plugins_search.download.workers.supervisor import fetch_all
from adc_plugins_search.download.workers.task_queue import TaskQueue
from adc_plugins_search.user_agent import user_agent

License = Literal["cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd"]
_MAX_SHOWN_OUTCOMES = 5
"""Outcomes that are shown while images arrive; all are at the end."""
_CHOOSING_OPTIONS = (
    "allow_licenses",
    "max_images_per_host",
    "near_duplicates",
    "near_bits",
    "relax",
)
MIN_IMAGES_FOR_PROCESSES = 1000
"""Images below which starting processes costs more than it brings (measured on two processors)."""

OPTIONS = "collection.json"
"""The options of a collection, beside its dataset."""


class Downloader(FetchingOptions):
    """Downloads the images that searchers find, checks them and drops exact duplicates.

    Every image is decoded in full, turned upright, converted to RGB, shrunk so that its shorter
    side is `image_size`, and stored as a JPEG without metadata in a tar file of `shard_size`
    images, which readers of WebDataset take as it is. Of images that are stored alike the first
    one is kept, in the order of queries, searchers and rank; where the others were found for
    another class, the column `also_found_as` of the sources names it.

    The dataset's ids come from the images' addresses, its order from the design; it does not depend
    on the order in which images arrive, on retries or on interruptions. Every hit that is not in it
    is in `refused.parquet` in the work folder, with its reason; every hit of an image that is kept
    is in `hits.parquet`, however many queries have found it.

    Servers' rules are kept: robots.txt, and what `X-Robots-Tag`, `tdm-reservation` and
    `Content-Usage` say with an image, or its own XMP metadata. `collection.json` in the work
    folder holds the options, with the rules that were ignored, if any.

    Where no server answers any more the work stops (`max_consecutive_unreachable`), and no image
    that got no answer is given up: run again to go on.

    Addresses in private networks are refused, also behind names and redirects, unless
    `allow_hosts` lists them. Local files are read for the `folder` searcher only, and only below
    its folder.
    """

    keeps_cache: ClassVar[bool] = True
    artifacts: ClassVar[tuple[str, ...]] = (HITS, REFUSED, OPTIONS)
    execution_options: ClassVar[tuple[str, ...]] = (
        "max_connections",
        "max_connections_per_host",
        "processes",
        "shard_size",
        "interval",
        "contact",
        "max_concurrent_searches",
        "max_wait",
        "max_consecutive_unreachable",
    )

    renamed_options: ClassVar[Mapping[str, str]] = {
        "size": "image_size",
        "min_rate": "min_bytes_per_second",
        "silence": "max_consecutive_unreachable",
        "workers": "max_connections",
        "per_host": "max_connections_per_host",
        "searches": "max_concurrent_searches",
    }

    image_size: int = Field(default=256, ge=8, description="of the shorter side; never enlarged")
    min_side: int = Field(
        default=32, ge=1, description="refuse images with a shorter side, in pixels"
    )
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, description="refuse larger images undecoded")
    max_bytes: int = Field(default=20_000_000, ge=1, description="refuse larger files")
    decoder: Decoder = Field(
        default="pillow",
        description="what shrinks JPEG files: pillow, or opencv, which is faster and less fine "
        "(pip install 'adc-plugins-search[opencv]')",
    )
    shard_size: int = Field(default=1000, ge=1, description="images in one tar file")
    allow_licenses: tuple[License, ...] = Field(
        default=(), description="fetch only what a searcher says is under one of these licenses"
    )
    near_duplicates: NearDuplicates = Field(
        default="keep",
        description="of images that are nearly the same keep all, the first, or none where their "
        "classes differ; the column duplicate_group names them in any case",
    )
    near_bits: int = Field(
        default=3,
        ge=0,
        le=MOST_BITS,
        description="of 64, in which the hashes of such images may differ",
    )
    relax: tuple[str, ...] = Field(
        default=(),
        description="attributes to leave open, the least important first, in queries that find "
        "less than half of what is asked for",
    )
    ignore: tuple[Rule, ...] = Field(
        default=(), description="rules of servers that are not kept; what they say is recorded"
    )

    @field_validator("allow_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            split_endpoint(host)
        return hosts

    def collect(self, design: Design, searchers: Sequence[Searcher]) -> Dataset:
        """Collect the images of a design; see `adc_core.components.interfaces.Collector`."""
        check_installed(self.decoder)
        if strange := [name for name in self.relax if name not in design.attributes]:
            raise InputError(
                f"relax: the design has no attribute {strange[0]!r}, but "
                f"{', '.join(design.attributes) or 'none'}"
            )
        with small_tables():
            return self._collect(design, searchers, work_folder())

    def _collect(self, design: Design, searchers: Sequence[Searcher], folder: Path) -> Dataset:
        fetch_rules = self._fetch_rules()  # its faults should show before a search is paid for
        with closing(Journal(folder / "journal.sqlite", self._outcome_rules)) as journal:
            found = run_queries(
                design,
                searchers,
                journal,
                threads=self.max_concurrent_searches,
                max_wait=self.max_wait,
                relax=self.relax,
            )
            if not found:
                journal.forget_pages()
                raise InputError(
                    f"no images were found for any of the {len(design.queries)} queries, such as "
                    f"{design.queries[0].text!r}: use simpler words, or other searchers"
                )
            recover(journal, folder / "images")
            with closing(TaskQueue(folder / f"tasks{PART}")) as queue:
                keys, counts = self._enqueue(found, journal, queue, fetch_rules)
                self._fetch(queue, counts, folder / "images", journal, fetch_rules)
            hit_outcomes = HitOutcomes(found, keys, journal, self.allow_licenses)
            deduplication = deduplicate(hit_outcomes, self.near_duplicates, self.near_bits)
            tables = write_tables(hit_outcomes, deduplication, design, folder)
            if not len(tables.samples):
                journal.forget_outcomes()
                raise InputError(all_refused_message(tables))
        (folder / OPTIONS).write_text(self.model_dump_json(indent=1) + "\n", "utf-8")
        return build_dataset(tables.samples, deduplication, design, folder / "images")

    @property
    def _outcome_rules(self) -> str:
        """What an image's outcome depends on: all options but those that choose among outcomes."""
        chosen = {name: type(self).model_fields[name].default for name in _CHOOSING_OPTIONS}
        return self.model_copy(update=chosen).fingerprint

    def _enqueue(
        self, found: SearchResults, journal: Journal, queue: TaskQueue, rules: FetchRules
    ) -> tuple[NDArray[np.bytes_], Counter[str]]:
        """Queue what must be fetched; gives keys, and what became of the rest earlier."""
        keys, counts = bytearray(), Counter[str]()
        shares = HostShares(self.max_images_per_host)
        for each in found:
            task = task_for(each, self.allow_licenses)
            if isinstance(task, Refused):
                keys += bytes(KEY_LENGTH)
                continue
            keys += task.key.encode()
            self._require_contact(task, rules)
            outcome = journal.outcome(task.key)
            # What is stored already stays, whatever the limit by now.
            too_many = None if isinstance(outcome, Stored) else shares.judge(task)
            outcome = too_many or outcome
            if queue.add(task, outcome):
                shares.count(task, too_many)
                if outcome:
                    counts[outcome_label(outcome)] += 1
        journal.add_outcomes(shares.refused)
        return np.frombuffer(keys, f"S{KEY_LENGTH}"), counts

    def _require_contact(self, task: FetchTask, rules: FetchRules) -> None:
        """Return other people's servers are not asked by somebody who cannot be reached."""
        if rules.named or task.root is not None:
            return
        address = URL(task.url)
        if (address.host, address.port) not in rules.own:
            raise InputError(contact_needed_message(address.host or "", address.port or 0))

    def _fetch(
        self,
        queue: TaskQueue,
        counts: Counter[str],
        images: Path,
        journal: Journal,
        rules: FetchRules,
    ) -> None:
        """Fetch every task of the queue; each ends in the journal."""
        hosts = queue.hosts()
        before, left = counts.total(), sum(count for _, count in hosts)
        given_up = Counter[str]()
        progress(before, before + left, "image")
        if not left:
            return
        own = {f"{host}:{port}" for host, port in rules.own}
        least = least_duration(hosts, self.interval, lambda host: host in own or " " in host)
        if said := duration_message(*least, self.interval):
            warnings.warn(said, stacklevel=2)

        def store(new: Sequence[tuple[str, Outcome]]) -> None:
            journal.add_outcomes(new)
            counts.update(outcome_label(outcome) for _, outcome in new)
            given_up.update(o.detail for _, o in new if is_of_host_given_up(o))
            status(
                ", ".join(
                    f"{count:,} {word}" for word, count in counts.most_common(_MAX_SHOWN_OUTCOMES)
                )
            )

        in_processes, n_workers = self._processes(left)
        image_rules = ImageRules(self.image_size, self.min_side, self.max_pixels, self.decoder)
        job = Job(0, n_workers, images, self.shard_size, image_rules, rules)
        fetch_all(
            queue,
            job,
            in_processes=in_processes,
            store=store,
            on_progress=lambda ended: progress(before + ended, before + left, "image"),
        )
        warn_of_hosts(given_up)

    def _processes(self, images: int) -> tuple[bool, int]:
        """Tell whether to start processes, and how many workers there are."""
        if self.processes is None and images < MIN_IMAGES_FOR_PROCESSES:
            return False, 1
        return True, min(self.processes or os.cpu_count() or 1, self.max_connections)

    def _fetch_rules(self) -> FetchRules:
        allowed = resolve(self.allow_hosts)
        return FetchRules(
            max_connections=self.max_connections,
            max_connections_per_host=self.max_connections_per_host,
            timeout=self.timeout,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            retries=self.retries,
            backoff=self.backoff,
            max_wait=self.max_wait,
            max_bytes=self.max_bytes,
            user_agent=user_agent(self.contact),
            allowed=allowed,
            own=allowed | {split_endpoint(host) for host in self.allow_hosts},
            interval=self.interval,
            min_bytes_per_second=self.min_bytes_per_second,
            ignore=frozenset(self.ignore),
            max_consecutive_unreachable=self.max_consecutive_unreachable,
            named=bool(self.contact.strip()),
        )
