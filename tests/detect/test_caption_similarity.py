"""Images against their titles, and against the classes."""

import numpy as np
import pytest

from adc_core import Dataset, InputError
from adc_plugins_detect import CaptionSimilarity, caption_similarity, class_similarity

VALUES = [0.33, 0.29, 0.27, np.nan, 0.31, -1.0]
CLASSES = np.array(
    [
        [-0.20292107826445718, -0.14685829020514246, 0.4815969944664453],
        [-0.1542702866332113, -0.4656164178633991, 0.1901652506402282],
        [0.27161297603200313, 0.4000389628217903, -0.4273124242887397],
        [0.1727087427373635, -0.4805318060309662, -0.3505285782644492],
        [-0.6119902198640993, -0.3052529186377951, 0.16405941552419204],
        [-0.394602463225487, 0.1601549751692249, 0.8125625739985681],
    ]
)
LABELS = [0, 1, 2, 0, 1, 2]


def test_the_reference_numbers():
    found = caption_similarity(VALUES, flag_rate=0.2)
    np.testing.assert_allclose(found.suspicion, [0, 0.4, 0.6, np.nan, 0.2, 0.8])
    assert found.flagged.tolist() == [False] * 5 + [True]
    assert found.covered.tolist() == [True, True, True, False, True, True]
    for least, kept in ((0.28, 3), (0.26, 4), (0.3, 2)):
        assert 5 - caption_similarity(VALUES, min_similarity=least).flagged.sum() == kept
    judged = class_similarity(LABELS, CLASSES, scale=10)
    np.testing.assert_allclose(
        judged.suspicion,
        [0.9989385357, 0.9986268077, 0.9998001841, 0.0067504574, 0.9909289022, 0.0014712264],
        atol=1e-9,
    )
    assert judged.flagged.tolist() == [True, True, True, False, True, False]
    assert judged.suggested_labels.tolist() == [2, 2, 1, -1, 2, -1]


def test_equal_cosines_are_equally_suspect():
    found = caption_similarity([0.2, 0.2, 0.1])
    assert found.suspicion[0] == found.suspicion[1] == 0


def test_bad_input():
    with pytest.raises(InputError, match="no sample has a title"):
        caption_similarity([np.nan, np.nan])
    with pytest.raises(InputError, match="expected one number per sample"):
        caption_similarity([[0.1]])
    with pytest.raises(InputError, match="row 0 is not finite"):
        class_similarity([0, 1], [[np.nan, 1], [0, 1]])


def test_options_choose_what_is_compared():
    columns = {"caption_similarity": np.array(VALUES), "class_similarity": CLASSES}
    dataset = Dataset(labels=LABELS, classes=("a", "b", "c"), columns=columns)
    assert CaptionSimilarity().detect(dataset).flagged.sum() == 0  # a tenth of five
    assert CaptionSimilarity(flag_rate=0.5).detect(dataset).flagged.sum() == 2
    assert CaptionSimilarity(min_similarity=0.28).detect(dataset).flagged.sum() == 2
    judged = CaptionSimilarity(against="class", scale=10).detect(dataset)
    assert judged == class_similarity(LABELS, CLASSES, scale=10, ids=dataset.ids)
    assert CaptionSimilarity(against="class").required_columns == ("class_similarity",)
    with pytest.raises(InputError, match='no column "caption_similarity": the enricher image-text'):
        CaptionSimilarity().detect(Dataset(labels=LABELS))
