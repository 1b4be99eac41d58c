"""`docs/from-cleanlab.md` beside cleanlab: its programs run in order, and what it claims holds."""

import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from adc_process import run_adc

PAGE = (Path(__file__).parents[2] / "docs" / "from-cleanlab.md").read_text()
ADC = str(Path(sys.executable).with_name("adc"))


@pytest.fixture(scope="module")
def cleanlab():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("cleanlab", reason="cleanlab, the oracle, is not installed")
        import cleanlab.classification
        import cleanlab.count
        import cleanlab.experimental.label_issues_batched
        import cleanlab.filter
        import cleanlab.rank
    return cleanlab


@pytest.fixture(scope="module")
def arrays():
    """800 samples of five classes without ties; their labels follow the probabilities."""
    rng = np.random.default_rng(11)
    probabilities = rng.dirichlet(np.full(5, 0.3), 800)
    labels = (probabilities.cumsum(axis=1) < rng.random((800, 1))).sum(axis=1)
    wrong = rng.random(800) < 0.15
    labels[wrong] = rng.integers(0, 5, wrong.sum())
    return labels, probabilities


@pytest.fixture(scope="module")
def page(tmp_path_factory, arrays):
    """The names that the page's programs leave, run one after another, and their folder."""
    folder = tmp_path_factory.mktemp("page")
    labels, probabilities = arrays
    np.savez(folder / "mine.npz", labels=labels, pred_probs=probabilities)
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for program in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(program, names)
    return names | {"folder": folder}


def test_the_mask_and_the_indices(page, cleanlab, arrays):
    find = cleanlab.filter.find_label_issues
    mask = find(*arrays, n_jobs=1)
    assert 0 < mask.sum() < 400
    np.testing.assert_array_equal(page["findings"].flagged, mask)
    ranked = find(*arrays, n_jobs=1, return_indices_ranked_by="self_confidence")
    np.testing.assert_array_equal(page["issues"], ranked)


def test_the_data_frame(page, cleanlab, arrays):
    labels, probabilities = arrays
    theirs = cleanlab.classification.CleanLearning(
        find_label_issues_kwargs={"n_jobs": 1}
    ).find_label_issues(labels=labels, pred_probs=probabilities)
    frame = page["frame"]
    np.testing.assert_array_equal(frame["flagged"], theirs["is_label_issue"])
    np.testing.assert_allclose(1 - frame["suspicion"], theirs["label_quality"], atol=1e-12)
    suggested = frame["suggested_label"].to_numpy()
    predicted = theirs["predicted_label"].to_numpy()
    np.testing.assert_array_equal(np.where(suggested < 0, labels, suggested), predicted)


def test_every_rule_of_the_table(page, cleanlab, arrays):
    table = PAGE.partition("| `filter_by` and `rule`")[2].partition("```")[0]
    rules = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    named = [rule for cell in rules for rule in re.findall(r"`(\w+)`", cell)]
    assert list(page["by_rule"]) == named
    for rule, flagged in page["by_rule"].items():
        expected = cleanlab.filter.find_label_issues(*arrays, filter_by=rule, n_jobs=1)
        np.testing.assert_array_equal(flagged, expected, err_msg=rule)
    expected = cleanlab.filter.find_label_issues(
        *arrays, frac_noise=0.5, min_examples_per_class=5, n_jobs=1
    )
    np.testing.assert_array_equal(page["half"], expected)


def test_every_score(page, cleanlab, arrays):
    score = cleanlab.rank.get_label_quality_scores
    for method, quality in page["quality"].items():
        np.testing.assert_allclose(quality, score(*arrays, method=method), atol=1e-12)
    expected = score(*arrays, adjust_pred_probs=True)
    np.testing.assert_allclose(page["adjusted"], expected, atol=1e-12)


def test_the_noise_matrix(page, cleanlab, arrays):
    joint = cleanlab.count.estimate_joint(*arrays)
    _, noise_matrix, _, _ = cleanlab.count.estimate_py_and_noise_matrices_from_probabilities(
        *arrays, converge_latent_estimates=False
    )
    np.testing.assert_allclose(page["noise_matrix"], joint / joint.sum(axis=0), atol=1e-12)
    assert page["noise_matrix"].shape == noise_matrix.shape
    assert page["share_of_wrong_labels"] == pytest.approx(1 - joint.trace(), abs=1e-12)


def test_the_batched_mode(page, cleanlab, arrays):
    exact = cleanlab.filter.find_label_issues(*arrays, filter_by="low_self_confidence", n_jobs=1)
    np.testing.assert_array_equal(page["batched"], exact)
    batched = cleanlab.experimental.label_issues_batched.find_label_issues_batched
    theirs, ours = set(batched(*arrays, verbose=False)), set(np.flatnonzero(page["batched"]))
    assert theirs < ours or ours < theirs  # one order, two counts
    assert abs(len(theirs) - len(ours)) < 0.02 * len(ours)


def test_the_command_says_the_same(page, cleanlab, arrays):
    (command,) = re.findall(r"```sh\nadc (.*?)\n```", PAGE)
    done = run_adc(*command.split(), cwd=page["folder"])
    assert done.returncode == 0, done.stderr
    labels, probabilities = arrays
    single = probabilities.astype(np.float32).astype(np.float64)
    mask = cleanlab.filter.find_label_issues(labels, single, n_jobs=1)
    table = pq.read_table(page["folder"] / "runs" / "arrays-detect" / "findings.parquet")
    np.testing.assert_array_equal(table["confident-learning.flagged"].to_numpy(), mask)
