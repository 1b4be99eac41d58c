import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from adc_plugins_learn.methods.dividemix_losses import clean_probability, normalized
from adc_plugins_learn.methods.loss_mixture import low_mean_posterior


def test_vectors(known):
    expected = known("dividemix", "gmm_split").expected
    losses = normalized(torch.tensor(expected["inputs"]["losses"]))
    np.testing.assert_allclose(losses, expected["normalized"], atol=1e-7)
    clean = clean_probability(losses)
    np.testing.assert_allclose(clean, expected["p_clean"], atol=1e-3)
    assert (clean > 0.5).int().tolist() == expected["is_clean"]


def test_overlapping_vectors(known):
    expected = known("dividemix", "gmm_split_overlap").expected
    i = torch.arange(60).double()
    wrong = torch.arange(60) % 3 == 2
    losses = torch.where(
        wrong, 0.9 + 1.3 * (1.3 * i).sin().abs(), 0.05 + 0.75 * (0.7 * i).sin().abs()
    )
    clean = clean_probability(normalized(losses))
    np.testing.assert_allclose(clean[:12], expected["p_clean_first_12"], atol=1e-3)
    assert int((clean > 0.5).sum()) == expected["n_clean"]
    called = (wrong & (clean > 0.5)).nonzero()[:, 0].tolist()
    assert called == expected["mislabelled_called_clean"]


@pytest.mark.parametrize("seed", range(5))
def test_as_scikit_learn_fits_it(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.gamma(2, 0.05, 700), rng.normal(0.7, 0.15, 300)])
    values = (values - values.min()) / (values.max() - values.min())
    values = values[:, None]
    # Their own start stops k-means a little before its groups are final.
    groups = KMeans(2, init=np.array([[0.0], [1.0]]), n_init=1, tol=0).fit_predict(values)
    parts = [values[groups == group] for group in range(2)]
    theirs = GaussianMixture(
        2,
        max_iter=10,
        tol=1e-2,
        reg_covar=5e-4,
        weights_init=[len(part) / len(values) for part in parts],
        means_init=[part.mean(axis=0) for part in parts],
        precisions_init=[[[1 / (part.var() + 5e-4)]] for part in parts],
    ).fit(values)
    posterior = theirs.predict_proba(values)[:, theirs.means_.argmin()]
    ours = low_mean_posterior(torch.from_numpy(values[:, 0]))
    np.testing.assert_allclose(ours, posterior, atol=1e-9)


def test_equal_losses_are_all_clean():
    assert low_mean_posterior(torch.ones(5)).tolist() == [1] * 5
    assert normalized(torch.full((5,), 3.0)).tolist() == [0] * 5
