"""One measured call of a detector or of a peer, in a process of its own; see detection_speed.py.

    python benchmarks/detection_calls.py CALL FOLDER|STATEMENT|CLASSES [ROWS]

It prints one line of JSON: CPU seconds of the call, the peak memory of the process in MB, and
figures of its result.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

Figures = dict[str, float]


def ours_confident_learning(folder: Path) -> Figures:
    """Flags, suspicion and suggestions; and the flagged samples, worst first."""
    from adc_plugins_detect import confident_learning

    labels, probabilities = np.load(folder / "labels.npy"), _mapped(folder, "probabilities")
    start = time.process_time()
    found = confident_learning(labels, probabilities)
    flagged = np.flatnonzero(found.flagged)
    ranked = flagged[np.argsort(-found.suspicion[flagged], kind="stable")]
    cpu = time.process_time() - start
    np.save(folder / "ours.npy", np.sort(ranked))
    return {"cpu": cpu, "flagged": len(ranked)}


def cleanlab_confident_learning(folder: Path) -> Figures:
    """cleanlab's default filter in one process, with its quality scores."""
    from cleanlab.filter import find_label_issues

    labels, probabilities = np.load(folder / "labels.npy"), _mapped(folder, "probabilities")
    start = time.process_time()
    ranked = find_label_issues(
        labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    cpu = time.process_time() - start
    np.save(folder / "peer.npy", np.sort(ranked))
    return {"cpu": cpu, "flagged": len(ranked)}


def floor_confident_learning(folder: Path) -> Figures:
    """Every probability read once: the largest of each row."""
    probabilities = _mapped(folder, "probabilities")
    start = time.process_time()
    for first in range(0, len(probabilities), 1 << 12):
        probabilities[first : first + (1 << 12)].argmax(axis=1)
    return {"cpu": time.process_time() - start}


def ours_neighbors(folder: Path) -> Figures:
    """Ten neighbors by the search that the package chooses."""
    from adc_plugins_detect import nearest_neighbors

    features = _mapped(folder, "features")
    start = time.process_time()
    graph = nearest_neighbors(features, 10)
    cpu = time.process_time() - start
    np.save(folder / "neighbors.npy", graph.indices)
    return {"cpu": cpu, "recall": _recall(graph.indices, features)}


def faiss_neighbors(folder: Path) -> Figures:
    """FAISS's exact search."""
    import faiss

    features = np.array(_mapped(folder, "features"))
    start = time.process_time()
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(features.shape[1])
    index.add(features)
    found = index.search(features, 11)[1]
    return {"cpu": time.process_time() - start, "recall": _recall(found, features)}


def sklearn_neighbors(folder: Path) -> Figures:
    """scikit-learn's exact search, in its faster form: Euclidean on rows of length one."""
    from sklearn.neighbors import NearestNeighbors

    features = np.array(_mapped(folder, "features"))
    start = time.process_time()
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    search = NearestNeighbors(n_neighbors=11, algorithm="brute").fit(features)
    found = search.kneighbors(return_distance=False)
    return {"cpu": time.process_time() - start, "recall": _recall(found, features)}


def floor_neighbors(folder: Path) -> Figures:
    """Half of all products, in blocks: every pair once."""
    features = np.array(_mapped(folder, "features"))
    blocks = range(0, len(features), 2048)
    start = time.process_time()
    for i in blocks:
        for j in blocks[: i // 2048 + 1]:
            features[i : i + 2048] @ features[j : j + 2048].T
    return {"cpu": time.process_time() - start}


def ours_simifeat(folder: Path) -> Figures:
    """One graph, HOC, and Docta's 21 rounds of votes in random subsets."""
    from adc_core import Dataset
    from adc_core.components import required_neighbors
    from adc_plugins_detect import nearest_neighbors, simifeat
    from adc_plugins_detect.curators.docta import Docta

    labels, features = np.load(folder / "labels.npy"), _mapped(folder, "features")
    marks = [time.process_time()]
    graph = nearest_neighbors(features, required_neighbors(Docta()))
    marks.append(time.process_time())
    found = simifeat(labels, graph)
    marks.append(time.process_time())
    curation = Docta(otherwise="drop").curate(Dataset(labels=labels, neighbors=graph), ())
    marks.append(time.process_time())
    assert found.transition is not None
    wrong = labels != np.load(folder / "truth.npy")
    search, once, rounds = np.diff(marks)
    return {
        "cpu": marks[-1] - marks[0],
        "cpu of the search": search,
        "cpu of one SimiFeat with HOC": once,
        "cpu of 21 rounds": rounds,
        "flagged": int(found.flagged.sum()),
        "flagged by rounds": curation.changes.num_rows,
        "precision": float(wrong[found.flagged].mean()),
        "recall": float(found.flagged[wrong].mean()),
        "noise rate by HOC": found.noise_rate or 0.0,
        "noise rate": float(wrong.mean()),
        "mean diagonal by HOC": float(found.transition.diagonal().mean()),
    }


def ours_hoc(classes: int, rows: int) -> Figures:
    """HOC on three labels each of 20 % noise among five classes, as from perfect neighbors."""
    from adc_plugins_detect import transition_from_votes

    random = np.random.default_rng(0)
    truth = random.integers(0, classes, rows)
    flips = (random.random((rows, 3)) < 0.2) * random.integers(1, min(classes, 6), (rows, 3))
    start = time.process_time()
    estimate = transition_from_votes((truth[:, None] + flips) % classes, n_classes=classes)
    return {
        "cpu": time.process_time() - start,
        "mean diagonal": float(estimate.transition.diagonal().mean()),
        "noise rate": estimate.noise_rate,
    }


def _mapped(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def _recall(found: np.ndarray, features: np.ndarray) -> float:
    """Share of the ten true neighbors that were found, of 300 rows."""
    rows = np.random.default_rng(1).choice(len(features), 300, replace=False)
    block = np.array(features[rows])
    block /= np.linalg.norm(block, axis=1, keepdims=True)
    products = np.empty((300, len(features)), np.float32)
    for first in range(0, len(features), 1 << 16):
        part = np.array(features[first : first + (1 << 16)])
        part /= np.linalg.norm(part, axis=1, keepdims=True)
        products[:, first : first + len(part)] = block @ part.T
    products[np.arange(300), rows] = -np.inf
    true = np.argpartition(products, -10, axis=1)[:, -10:]
    return float(np.mean([np.isin(true[i], found[row]).mean() for i, row in enumerate(rows)]))


def _import(statement: str) -> Figures:
    exec(statement, {})
    return {"cpu": time.process_time()}


def ours_growth(folder: Path) -> Figures:
    """Every detector on planted evidence, and HOC and the votes on a random graph."""
    from adc_core import Dynamics, Neighbors
    from adc_plugins_detect import (
        aum,
        confident_learning,
        cores,
        data_maps,
        deep_knn,
        forgetting,
        neighbor_credibility,
        predicted_differs,
        simifeat,
        small_loss,
    )

    labels, probabilities = np.load(folder / "labels.npy"), np.load(folder / "probabilities.npy")
    rows, random = len(labels), np.random.default_rng(0)
    indices = (np.arange(rows)[:, None] + random.integers(1, rows, (rows, 10))) % rows
    similarities = -np.sort(-random.random((rows, 10), np.float32), axis=1)
    graph = Neighbors(indices=indices, similarities=similarities)
    given = probabilities[np.arange(rows), labels][:, None] * np.linspace(0.2, 1, 10)
    seen = Dynamics(
        epochs=np.arange(10),
        given_probability=given,
        margin=given * 4 - 2,
        loss=-np.log(given + 1e-6),
        correct=given > 0.5,
    )
    calls: dict[str, Callable[[], object]] = {
        "confident-learning": lambda: confident_learning(labels, probabilities),
        "predicted-differs": lambda: predicted_differs(labels, probabilities),
        "cores": lambda: cores(labels, probabilities),
        "simifeat": lambda: simifeat(labels, graph),
        "deep-knn": lambda: deep_knn(labels, graph, k=10),
        "neighbor-credibility": lambda: neighbor_credibility(labels, graph),
        "aum": lambda: aum(labels, seen),
        "small-loss": lambda: small_loss(labels, seen),
        "forgetting": lambda: forgetting(labels, seen),
        "data-maps": lambda: data_maps(labels, seen),
    }
    figures: Figures = {}
    for name, call in calls.items():
        call()
        start = time.process_time()
        call()
        figures[name] = time.process_time() - start
    return figures | {"cpu": sum(figures.values())}


def main() -> None:
    """Run the call that the command line names."""
    warnings.simplefilter("ignore")
    task, *arguments = sys.argv[1:]
    if task == "import":
        figures = _import(arguments[0])
    elif task == "ours_hoc":
        figures = ours_hoc(int(arguments[0]), int(arguments[1]))
    else:
        call: Callable[[Path], Figures] = globals()[task]
        figures = call(Path(arguments[0]))
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps(figures | {"MB": int(peak.split()[1]) / 1024}))


if __name__ == "__main__":
    main()
