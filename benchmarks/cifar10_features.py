"""CIFAR-10 as features of a pretrained network, and what the studies of raters share."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from adc_core import Dataset
from adc_plugins_review import RaterPool, choose_raters, krippendorff_alpha

COMPONENTS = 256


class Features(NamedTuple):
    """Principal components of features, scaled alike, and true labels."""

    train: np.ndarray
    test: np.ndarray
    truth: np.ndarray
    test_truth: np.ndarray


def components(data: Path, cache: Path, train: int, test: int) -> Features:
    """Read the first training and test images as principal components of MobileNetV2's features."""
    labels = np.load(data / "cifar10" / "labels.npz")
    parts = [mobilenet_features(data, cache, "train", train)]
    parts.append(mobilenet_features(data, cache, "test", test))
    mean = parts[0].mean(axis=0)
    centered = parts[0] - mean
    _, axes = np.linalg.eigh(centered.T @ centered)
    seen, new = ((part - mean) @ axes[:, : -COMPONENTS - 1 : -1] for part in parts)
    scale = seen.std()
    return Features(
        (seen / scale).astype(np.float32),
        (new / scale).astype(np.float32),
        labels["train_label"][:train].astype(np.int64),
        labels["test_label"][:test].astype(np.int64),
    )


def mobilenet_features(data: Path, cache: Path, part: str, count: int) -> np.ndarray:
    """MobileNetV2 features of the first images of a part; computed once and kept."""
    path = cache / f"{part}.npy"
    known = np.load(path, mmap_mode="r") if path.exists() else np.zeros((0, 1280), np.float16)
    if len(known) < count:
        import torch
        from cifar10n import SIDE, cifar10_images, mobilenet

        from adc_plugins_learn import penultimate

        network, pixels, found = mobilenet(data), cifar10_images(data, part)[:count], []
        with torch.inference_mode():
            for start in range(0, count, 250):
                batch = torch.from_numpy(pixels[start : start + 250]).permute(0, 3, 1, 2)
                large = torch.nn.functional.interpolate(batch.float(), SIDE, mode="bicubic")
                found.append(penultimate(network, large.clamp(0, 255) / 127.5 - 1).numpy())
        path.parent.mkdir(parents=True, exist_ok=True)
        known = np.concatenate(found).astype(np.float16)
        np.save(path, known)
    return known[:count].astype(np.float32)


class Crowd(NamedTuple):
    """What all candidates of a rater pool say: N × C classes, C errors, C × C agreements, C × f."""

    said: np.ndarray
    error: np.ndarray
    agreement: np.ndarray
    features: np.ndarray


class Noise(NamedTuple):
    """Labels of one rater each, the share of wrong ones, and 1 - alpha of all raters' labels.

    `who` is the rater of each sample, of those that were `chosen`.
    """

    labels: np.ndarray
    wrong: float
    spread: float
    who: np.ndarray
    chosen: np.ndarray


def crowd(features: np.ndarray, truth: np.ndarray, seed: int, candidates: int = 40) -> Crowd:
    """Let candidates of every skill label all samples, so that panels of any error can be had."""
    pool = RaterPool(raters=candidates, pool_size=candidates, error=None, expert_share=0, seed=seed)
    votes = pool.corrupt(Dataset(labels=truth, features=features)).votes
    said = np.empty((len(truth), candidates), np.int64)
    said[votes.item, votes.rater] = votes.label
    agreement = np.stack([(said == said[:, [one]]).mean(axis=0) for one in range(candidates)])
    error, facts = (said != truth[:, None]).mean(axis=0), votes.features[:candidates]
    return Crowd(said, error, agreement, facts)


def noise(crowd: Crowd, truth: np.ndarray, error: float, seed: int, raters: int = 10) -> Noise:
    """Choose a panel whose error is near the wanted one, and give each sample one rater's label."""
    chosen = np.array(choose_raters(crowd.error, crowd.agreement, raters, error).chosen)
    said, K = crowd.said[:, chosen], int(truth.max()) + 1
    who = np.random.default_rng([seed, 6]).integers(0, raters, len(said))
    labels = said[np.arange(len(said)), who]
    counts = np.stack([(said == k).sum(axis=1) for k in range(K)], axis=1)
    wrong = float((labels != truth).mean())
    return Noise(labels, wrong, 1 - krippendorff_alpha(counts), who, chosen)


def fitted(
    features: np.ndarray, labels: np.ndarray, seed: int, test: np.ndarray, truth: np.ndarray
) -> float:
    """Accuracy of a network of one hidden layer, trained until it fits 99.5 % of its labels."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Linear(features.shape[1], 128), nn.ReLU(), nn.Linear(128, int(labels.max()) + 1)
    )
    x, y = torch.tensor(features), torch.from_numpy(labels.astype(np.int64))
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(100):
        right = 0
        for rows in torch.randperm(len(x)).split(64):
            scores = network(x[rows])
            optimizer.zero_grad()
            nn.functional.cross_entropy(scores, y[rows]).backward()
            optimizer.step()
            right += int((scores.argmax(dim=1) == y[rows]).sum())
        if right >= 0.995 * len(x):
            break
    with torch.inference_mode():
        predicted = network(torch.from_numpy(test)).argmax(dim=1).numpy()
    return float((predicted == truth).mean())


def slope_of(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of a line through the origin, and its standard error."""
    slope = (x @ y) / (x @ x)
    rest = y - slope * x
    return float(slope), float(np.sqrt((rest @ rest) / (len(x) - 1) / (x @ x)))


def mean_and_error(values: list[float] | np.ndarray) -> tuple[float, float]:
    """Mean, and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
