"""The interfaces: one abstract class per kind of component, each with one method."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core.components.component import Component
from adc_core.components.kinds import BROUGHT
from adc_core.components.registry import RegistryError, registry
from adc_core.errors import unknown_name
from adc_core.images.sequence import Images
from adc_core.records.corruption import Corruption
from adc_core.records.curation import Curation
from adc_core.records.dataset import Dataset
from adc_core.records.design import Brief, Design, Page, Query
from adc_core.records.findings import Findings
from adc_core.records.model import Model
from adc_core.records.run import Measurement, Run

REFUSED, HITS = "refused.parquet", "hits.parquet"
"""Tables that a collector may leave in its work folder, and that are kept beside its dataset: each
hit that was refused, of whose `reason` and `detail` the report counts and shows, and each hit of an
image that was kept."""


class Designer(Component):
    """Turns a wish into classes, attributes and search queries."""

    kind: ClassVar[str] = "designers"

    @abstractmethod
    def design(self, brief: Brief) -> Design:
        """Design the dataset that the brief asks for.

        Raises:
            InputError: the brief lacks something that this designer needs.
        """


class Searcher(Component):
    """Finds images for a query, page by page."""

    kind: ClassVar[str] = "searchers"

    @abstractmethod
    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return one page of results; `cursor` is what the page before it returned.

        Called from several threads at once. A page that must wait returns `retry_after`
        with the cursor to come back with, so that no paid call is repeated.

        Raises:
            InputError: a key is missing or refused; the message names the variable.
            WorkError: the service cannot be reached or answers nonsense.
        """


class Collector(Component):
    """Fetches the images that searchers find and makes a dataset of them."""

    kind: ClassVar[str] = "collectors"

    @abstractmethod
    def collect(self, design: Design, searchers: Sequence[Searcher]) -> Dataset:
        """Fetch, verify and de-duplicate images; labels are the classes of their queries.

        Partial results are kept in `work_folder()`, so that an interrupted collection goes on.

        Raises:
            InputError: nothing was found, or nothing could be fetched.
        """


class Download(NamedTuple):
    """A file that must be fetched before a component can work.

    Attributes:
        url: where it is.
        path: where the component looks for it.
        megabytes: its size, or None where it is not known.
    """

    url: str
    path: Path
    megabytes: float | None


class Encoder(Component):
    """Turns images into feature vectors with a network or transform that does not learn labels."""

    kind: ClassVar[str] = "encoders"
    provides: ClassVar[tuple[str, ...]] = ("features",)

    def missing_weights(self) -> Download | None:
        """Return the weights that are not on this machine yet; None where nothing is missing.

        Raises:
            InputError: the library is not installed, or it has no such weights.
        """
        return None

    @abstractmethod
    def encode(self, images: Images) -> NDArray[np.float32]:
        """Compute N × D float32 features of N images, in their order."""


class Enricher(Component):
    """Adds evidence columns to a dataset from the columns that it has."""

    kind: ClassVar[str] = "enrichers"

    @abstractmethod
    def enrich(self, dataset: Dataset) -> Dataset:
        """Return the same samples with the columns named in `provides`."""


class Detector(Component):
    """Finds the samples of a dataset whose label looks wrong."""

    kind: ClassVar[str] = "detectors"

    @abstractmethod
    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample, in the dataset's order, leaving the dataset unchanged.

        Raises:
            InputError: the dataset does not suit the options.
        """


class Curator(Component):
    """Repairs a dataset with what the detectors found."""

    kind: ClassVar[str] = "curators"

    @abstractmethod
    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Drop or relabel samples; each change is recorded with its reason.

        The dataset may hold fewer samples than the findings: look them up by id.
        """


class Learner(Component):
    """Trains a model on labels that may be wrong."""

    kind: ClassVar[str] = "learners"
    model: ClassVar[type[Model]]
    """The class of the models that it returns, so that they can be read back."""
    takes_unlabeled: ClassVar[bool] = False
    """Whether it learns from samples whose labels were set aside without believing them."""

    @abstractmethod
    def learn(self, dataset: Dataset, validation: Dataset | None = None) -> Model:
        """Train on a dataset; checkpoints go to `work_folder()`.

        Raises:
            InputError: the dataset does not suit the options.
            WorkError: training failed: out of memory, a loss that is not a number.
        """


class Metric(Component):
    """Measures a run against the truth; no other component is ever handed it."""

    kind: ClassVar[str] = "metrics"

    @abstractmethod
    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure each figure once per detector or training to which it applies."""


class Simulator(Component):
    """Makes labels wrong, or leaves samples out, in a known way, for experiments."""

    kind: ClassVar[str] = "simulators"
    stream: ClassVar[str] = ""
    """Simulators of one stream and one `seed` draw the same numbers: a pipeline warns of two."""

    @abstractmethod
    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels for the dataset, whose own labels are taken to be true.

        Samples to leave out are named in `kept`; labels and mask are of all all the same.
        """


INTERFACES: dict[str, type[Component]] = {
    interface.kind: interface
    for interface in (
        Designer,
        Searcher,
        Collector,
        Encoder,
        Simulator,
        Enricher,
        Detector,
        Curator,
        Learner,
        Metric,
    )
}
"""Kind to interface, in the order of a pipeline."""


def interface_of(kind: str) -> type[Component]:
    """Return the interface of a kind, also of one that a package brings.

    Raises:
        InputError: there is no such kind, or what the package names is no interface of it.
    """
    if kind in INTERFACES:
        return INTERFACES[kind]
    if kind not in registry.kinds():
        raise RegistryError(unknown_name("kind", kind, registry.kinds()))
    entry = registry.find(BROUGHT, kind)
    found = registry.resolve(entry)
    if not (isinstance(found, type) and issubclass(found, Component) and found.kind == kind):
        raise RegistryError(f"{entry.origin} is not the interface of {kind}: set its `kind`")
    return found
