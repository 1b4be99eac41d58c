import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_plugins_detect.knn.votes import count_votes


def test_worked_example(vectors):
    example = vectors["simifeat"]
    labels = np.array(example["labels"])
    neighbors = np.array(example["neighbours"])[:, 1:]
    similarities = 1 - np.array(example["distances"])[:, 1:]
    votes = count_votes(labels, labels[neighbors], similarities)
    expected = np.array(example["votes_l2"])
    np.testing.assert_allclose(votes.agreement, expected[np.arange(10), labels], atol=1e-9)
    np.testing.assert_allclose(-np.log(votes.agreement + 1e-8), example["score"], atol=1e-9)
    np.testing.assert_array_equal(votes.winner, example["vote_label"])
    counts = np.array(example["votes"])
    np.testing.assert_allclose(votes.share, counts.max(axis=1) / counts.sum(axis=1), atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 30),
    m=st.integers(2, 12),
    K=st.integers(2, 9),
)
def test_the_same_as_a_table_of_votes_per_class(seed, rows, m, K):
    random = np.random.default_rng(seed)
    labels, near = random.integers(0, K, rows), random.integers(0, K, (rows, m))
    similarities = -np.sort(-random.random((rows, m)), axis=1)
    similarities[:, 2:][random.random((rows, m - 2)) < 0.2] = np.nan
    table = np.zeros((rows, K))
    own = 2 * similarities[:, 0] - similarities[:, 1]
    np.add.at(table, (np.arange(rows), labels), own)
    np.add.at(table, (np.arange(rows)[:, None], near), np.nan_to_num(similarities))
    votes = count_votes(labels, near, similarities)
    cosine = table[np.arange(rows), labels] / np.linalg.norm(table, axis=1)
    np.testing.assert_allclose(votes.agreement, cosine, atol=1e-12)
    best = table.max(axis=1)
    np.testing.assert_allclose(table[np.arange(rows), votes.winner], best, atol=1e-12)
    np.testing.assert_allclose(votes.share, best / table.sum(axis=1), atol=1e-12)


def test_of_equals_the_lowest_label_wins():
    votes = count_votes(np.array([2]), np.array([[1, 1, 2]]), np.ones((1, 3)))
    assert votes.winner.tolist() == [1]
    assert votes.share.tolist() == [0.5]


def test_neighbors_that_point_away_do_not_break_it():
    votes = count_votes(np.array([0, 1]), np.array([[1, 1], [1, 1]]), np.array([[-0.1, -0.3]] * 2))
    assert ((votes.agreement >= 0) & (votes.agreement <= 1)).all()
    assert ((votes.share >= 0) & (votes.share <= 1)).all()
