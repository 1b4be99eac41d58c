import numpy as np

from adc_core.testing.toys import toy_dataset, toy_findings
from adc_plugins_detect import early_stop_ce
from adc_plugins_detect.curators.agree import Agree
from adc_plugins_detect.curators.drop import Drop
from adc_plugins_detect.curators.early_stop import EarlyStop
from adc_plugins_learn import CrossEntropy


def test_drops_what_the_detector_flags():
    dataset = toy_dataset()
    curation = EarlyStop(flag_rate=0.1).curate(dataset, ())
    found = early_stop_ce(dataset.labels, dataset.dynamics, flag_rate=0.1)
    assert curation.changes["id"].to_pylist() == dataset.ids[found.flagged].tolist()
    assert len(curation.dataset) == 135
    first = found.suspicion[found.flagged][0]
    assert curation.changes["reason"][0].as_py() == (
        f"probability {1 - first:.3f} of its label after epoch 2"
    )


def test_a_learner_takes_the_place_of_dynamics():
    learner = CrossEntropy(
        epochs=2, image_size=16, batch_size=16, max_translation=0, horizontal_flip=False
    )
    curator = EarlyStop(flag_rate=0.2, learner=learner)
    assert EarlyStop().needs == ("dynamics",)
    assert curator.needs == ("images",)
    curation = curator.curate(toy_dataset().replace(dynamics=None), ())
    assert curation.count("drop") == 30
    assert curation.changes["reason"][0].as_py().endswith("of its label after a short training")


def test_agrees_with_other_filters():
    """As in the ADC paper's section 4.2: the union of two filters of the same dataset."""
    dataset = toy_dataset()
    both = Agree(filters=(Drop(), EarlyStop())).curate(dataset, (toy_findings(),))
    ids = [
        set(one.curate(dataset, (toy_findings(),)).changes["id"].to_pylist())
        for one in (Drop(), EarlyStop())
    ]
    assert set(both.changes["id"].to_pylist()) == ids[0] | ids[1]
    assert np.isin(dataset.ids, both.dataset.ids).sum() == len(dataset) - len(ids[0] | ids[1])
