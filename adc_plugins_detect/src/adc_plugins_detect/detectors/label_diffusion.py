"""Label diffusion: mass spreads from a class's typical samples to those it can reach."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from adc_core import Column, Dataset, Detector, Findings, Neighbors, progress
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_ids, as_labels, needed, same_length
from adc_plugins_detect.knn.graph import symmetric_graph
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.options import ClassCount, Count, Positive

_K, _SEEDS, _MASS, _ACROSS = 10, 50, 3.0, 0.05

_FULL = 0.9
"""A connected part takes so much of what it can hold: with more than all there is no end."""


@array_function
def label_diffusion(
    labels: ArrayLike,
    evidence: ArrayLike | Neighbors,
    *,
    k: Count = _K,
    seeds: Count = _SEEDS,
    mass: Positive = _MASS,
    across: Positive = _ACROSS,
    n_classes: ClassCount | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find labels that their class does not reach on the k-NN graph (after LFD, ICLR 2024).

    For each class, mass is put on its most typical samples, those most similar to neighbors of
    their label, and spreads over the graph; each sample holds as much as it has edges. Edges from
    the class to other labels weigh `across`. A sample that nothing reaches is flagged; suspicion
    is its rank among those of its label, by the potential that drives the mass. The choice of
    seeds and of the mass is this project's; on CIFAR-10N `label-propagation` finds more.

    Traps: it compares samples within a class, so that a class that is wrong as a whole looks as
    good as others. Where it has more than a third of all samples, it gets less mass than asked for.

    Args:
        labels: N given labels.
        evidence: N × D features, or their k-NN graph.
        k: neighbors, the sample itself not among them.
        seeds: samples of a class that the mass is put on, at most half of it.
        mass: of a class, in terms of what its samples hold.
        across: weight of edges to other labels; 1 ignores labels but for the seeds.
        n_classes: K; by default the largest label says.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, or fewer neighbors than k.
    """
    given = as_labels(labels, n_classes)
    K = n_classes or number_of_classes(given)
    neighbors = evidence if isinstance(evidence, Neighbors) else nearest_neighbors(evidence, k)
    same_length(given, neighbors.indices, "neighbors")
    graph = symmetric_graph(*neighbors.first(k))
    holds = np.diff(graph.indptr).astype(np.float64)
    ends = np.repeat(np.arange(len(given)), np.diff(graph.indptr)), graph.indices
    agreeing = graph.data * (given[ends[0]] == given[ends[1]])
    typical = np.bincount(ends[0], agreeing, len(given)) / holds.clip(1)
    _, part = connected_components(graph, directed=False)
    room = _FULL * np.bincount(part, holds)
    suspicion, flagged = np.zeros(len(given)), np.zeros(len(given), np.bool_)
    for label in range(K):
        members = given == label
        rows = np.flatnonzero(members)
        if not len(rows):
            continue
        count = min(seeds, max(1, len(rows) // 2))
        chosen = rows[np.argsort(-typical[rows], kind="stable")][:count]
        source = np.zeros(len(given))
        source[chosen] = mass * holds[rows].sum() / count
        poured = np.bincount(part, source, len(room))
        source *= np.minimum(1, room / np.where(poured > 0, poured, 1))[part]
        weighted = graph.copy()
        weighted.data = np.where(members[ends[0]] == members[ends[1]], 1.0, across)
        potential = flow_diffusion(weighted, holds, source)[rows]
        # Rounded, so that what the solver leaves open decides no rank.
        reached = (potential / max(potential.max(), 1e-12)).round(5)
        suspicion[rows] = (rankdata(-reached) - 1) / max(1, len(rows) - 1)
        flagged[rows] = reached == 0
        progress(label + 1, K, "class")
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=suspicion,
        flagged=flagged,
        noise_rate=float(flagged.mean()),
    )


def flow_diffusion(
    graph: csr_array, sink: NDArray[np.float64], source: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Spread mass until each node holds no more than its sink (Fountoulakis et al., ICML 2020).

    Args:
        graph: N × N weights, symmetric.
        sink: N, what each node holds.
        source: N, the mass; less than the sinks of each connected part.

    Returns:
        N potentials x ≥ 0, which minimize x'Lx / 2 - x'(source - sink); 0 where no mass leaves.
    """
    degree = graph.sum(axis=0)
    excess = source - sink

    def cost(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        flow = degree * x - graph @ x
        return float(0.5 * x @ flow - x @ excess), flow - excess

    with threadpool_limits(1, "blas"):  # sums then have one order
        found = minimize(
            cost,
            np.zeros(len(sink)),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * len(sink),
            options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-9},
        )
    return np.asarray(found.x, np.float64)


class LabelDiffusion(Detector):
    """Flags labels that mass from their class's most typical samples does not reach.

    It compares samples within a class on the k-NN graph: a class that is wrong as a whole looks as
    good as others.
    """

    requires: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: Count = Field(default=_K, description="neighbors, the sample itself not among them")
    seeds: Count = Field(default=_SEEDS, description="samples of a class, at most, that define it")
    mass: Positive = Field(
        default=_MASS, description="of a class, in terms of what its samples hold"
    )
    across: Positive = Field(
        default=_ACROSS, description="weight of edges to samples of other labels"
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The graph on which mass spreads."""
        return (Column("neighbors", k=self.k),)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's neighbors."""
        return label_diffusion(
            dataset.labels,
            needed(dataset.neighbors, "neighbors", "the enricher neighbors"),
            k=self.k,
            seeds=self.seeds,
            mass=self.mass,
            across=self.across,
            n_classes=len(dataset.classes),
            ids=dataset.ids,
        )
