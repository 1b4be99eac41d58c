import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torchvision.transforms import v2

from adc_core.components.context import work_context
from adc_core.components.interfaces import Learner
from adc_core.errors import InputError
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.data.augment import color
from adc_plugins_learn.training.data.augment.geometry import (
    cutout,
    random_resized_crop,
    resized_boxes,
)
from adc_plugins_learn.training.data.augment.steps import STEPS, build_augmentation

PAGE = Path(__file__).parents[2] / "docs" / "write-a-learner.md"
ALL = [*STEPS, {"use": "torchvision/RandomErasing", "p": 0.5}, "torchvision/ColorJitter"]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def pixels():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (64, 16, 20, 3), np.uint8))


def changed(pixels, *steps, seed=0):
    augment = TrainingConfig(augment=steps).augment
    return build_augmentation(augment, 2, True)(pixels, generator(seed))


@pytest.mark.parametrize("step", ALL, ids=str)
def test_steps_follow_their_generator_alone(pixels, step):
    kept, state = pixels.clone(), torch.get_rng_state()
    step = {"use": step, "brightness": 0.3} if step == "torchvision/ColorJitter" else step
    first = changed(pixels, step)
    torch.testing.assert_close(torch.get_rng_state(), state)
    with torch.random.fork_rng(devices=[]):
        torch.rand(5)
        assert torch.equal(changed(pixels, step), first)
    assert (first.shape, first.dtype) == (pixels.shape, pixels.dtype)
    assert not torch.equal(changed(pixels, step, seed=1), first)
    assert not torch.equal(first, pixels)
    assert torch.equal(pixels, kept)


def test_steps_come_in_their_order(pixels):
    crop, hole = {"use": "random-crop", "padding": 3}, {"use": "cutout", "length": 6}
    assert not torch.equal(changed(pixels, crop, hole), changed(pixels, hole, crop))


def test_without_it_two_options_are_two_steps(pixels):
    plain = build_augmentation(None, 2, True)(pixels, generator())
    assert torch.equal(
        changed(pixels, {"use": "random-crop", "padding": 2}, "horizontal-flip"), plain
    )
    assert torch.equal(changed(pixels), pixels)


def test_boxes_are_resized_as_torchvision_does(pixels):
    corners = torch.tensor([[0, 3, 9], [2, 0, 5]])[:, :, None]
    sides = torch.tensor([[16, 5, 7], [18, 20, 1]])[:, :, None]
    ours = resized_boxes(pixels[:3], corners, sides)
    for image, box, (top, left), (height, width) in zip(
        pixels, ours, corners[..., 0].T.tolist(), sides[..., 0].T.tolist(), strict=False
    ):
        theirs = v2.functional.resized_crop(
            image.permute(2, 0, 1), top, left, height, width, [16, 20], antialias=False
        )
        assert (theirs.permute(1, 2, 0).int() - box.int()).abs().max() <= 1


def test_crops_have_the_areas_and_ratios_of_torchvision():
    """Seen on a ramp: the range of its values is the box's width and height."""
    side = 200
    ramp = torch.arange(side, dtype=torch.uint8)
    image = torch.stack([ramp.expand(side, side), ramp[:, None].expand(side, side)], dim=2)
    image = torch.cat([image, image[..., :1]], dim=2)
    crops = random_resized_crop(image.expand(400, -1, -1, -1), generator()).float()
    widths, heights = (
        crops[..., channel].amax(dim=(1, 2)) - crops[..., channel].amin(dim=(1, 2)) + 1
        for channel in (0, 1)
    )
    areas, ratios = widths * heights / side**2, widths / heights
    transform, shown = v2.RandomResizedCrop(side), [image.permute(2, 0, 1)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = [transform.make_params(shown) for _ in range(400)]
    theirs_areas = np.array([box["height"] * box["width"] / side**2 for box in theirs])
    assert areas.mean() == pytest.approx(theirs_areas.mean(), abs=0.05)
    assert areas.std() == pytest.approx(theirs_areas.std(), abs=0.04)
    assert 0.07 < areas.min() < 0.12
    assert areas.max() <= 1
    assert 0.74 < ratios.min() < 0.8
    assert 1.25 < ratios.max() < 1.35


def test_boxes_that_never_fit_are_the_whole_image(pixels):
    wide = random_resized_crop(pixels, generator(), scale=(1, 1), ratio=(3, 3))
    assert torch.equal(wide, pixels)


@pytest.mark.parametrize(
    ("which", "adjust"),
    [(0, "adjust_brightness"), (1, "adjust_contrast"), (2, "adjust_saturation")],
)
def test_colors_change_as_torchvisions(pixels, which, adjust):
    strengths = [0.0, 0.0, 0.0]
    strengths[which] = 0.6
    ours = color.color_jitter(pixels, generator(), *strengths)
    drawn = generator()
    torch.randperm(3, generator=drawn)
    factors = 0.4 + 1.2 * torch.rand(3, len(pixels), 1, 1, 1, generator=drawn)[which].flatten()
    for before, after, factor in zip(pixels, ours, factors.tolist(), strict=True):
        theirs = getattr(v2.functional, adjust)(before.permute(2, 0, 1), factor)
        assert (theirs.permute(1, 2, 0).int() - after.int()).abs().max() <= 2


def test_a_hole_has_the_mean_color_and_may_be_cut_off(pixels):
    after = cutout(pixels, generator(), 8)
    color = pixels.float().mean(dim=(0, 1, 2)).round()
    covered = (after != pixels).any(dim=3)
    assert (after[covered] == color).all()
    sides = covered.any(dim=2).sum(dim=1)
    assert sides.max() == 8
    assert 4 <= sides.min() < 8


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("random-cro", 'there is no augmentation "random-cro": did you mean "random-crop"?'),
        (3, "write a name, or {use: name} with its options"),
        (
            {"use": "random-crop", "paddin": 2},
            'random-crop: paddin: there is no key "paddin": did you mean "padding"?',
        ),
        (
            {"use": "cutout", "length": 0},
            "cutout: length: Input should be greater than or equal to 1",
        ),
        (
            {"use": "random-resized-crop", "scale": [0.5, 0.2]},
            "random-resized-crop: scale is the smallest and the largest part of the area, up to 1",
        ),
        (
            "torchvision/RandomErasin",
            "torchvision/RandomErasin: there is no transform of torchvision "
            '"RandomErasin": did you mean "RandomErasing"?',
        ),
        (
            {"use": "torchvision/RandomErasing", "q": 3},
            "torchvision/RandomErasing: RandomErasing of torchvision cannot be made so "
            "(RandomErasing.__init__() got an unexpected keyword argument 'q')",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_one_line(step, message):
    with pytest.raises(ValidationError) as error:
        TrainingConfig(augment=["horizontal-flip", step])
    (fault,) = error.value.errors()
    assert fault["loc"] == ("augment", 1)
    line = fault["msg"].removeprefix("Value error, ")
    assert line == message


def test_a_transform_must_keep_the_size(pixels):
    with pytest.raises(InputError) as error:
        changed(pixels, {"use": "torchvision/Resize", "size": [8, 8]})
    assert str(error.value) == (
        "torchvision/Resize makes (3, 8, 8) torch.uint8 of (3, 16, 20) torch.uint8: it must keep "
        "shape and type"
    )


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The page's module, and functions that do not fit."""
    _, name, source = re.search(
        r"```(python)\n# (acme_noise\.py)\n(.*?)^```", PAGE.read_text(), re.S | re.M
    ).groups()
    (tmp_path / name).write_text(
        f"{source}\n\ndef undeclared(pixels, generator): ...\n\n"
        "def list_of(pixels, generator) -> Tensor:\n    return [1]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield source
    sys.modules.pop("acme_noise", None)


def test_the_augmentation_of_the_page(own, pixels):
    assert len([line for line in own.splitlines() if line.strip()]) <= 10
    after = changed(pixels, {"use": "acme_noise:noise", "strength": 3})
    assert (after.int() - pixels.int()).abs().unique().tolist() == [0, 1, 2, 3]
    assert torch.equal(changed(pixels, {"use": "acme_noise:noise", "strength": 3}), after)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "acme_noise:undeclared",
            "acme_noise:undeclared is not declared to return images: annotate it with "
            "-> torch.Tensor",
        ),
        (
            "acme_nois:noise",
            "acme_nois:noise cannot be imported (No module named 'acme_nois'): install its "
            "package, or name its folder in PYTHONPATH",
        ),
        (
            {"use": "acme_noise:noise", "power": 1},
            "acme_noise:noise cannot be called (got an unexpected keyword argument 'power'): it "
            "takes images, a torch.Generator and its options",
        ),
        (
            "acme_noise:list_of",
            "acme_noise:list_of makes <class 'list'> of (64, 16, 20, 3) torch.uint8: it must keep "
            "shape and type",
        ),
    ],
    ids=str,
)
def test_a_function_that_does_not_fit_is_one_line(own, pixels, step, message):
    with pytest.raises(InputError) as error:
        changed(pixels, step)
    assert str(error.value) == message


class StopError(Exception):
    pass


def test_a_training_with_all_of_them_resumes(own, squares, learned, tmp_path):
    steps = [*ALL, {"use": "acme_noise:noise", "strength": 3}]
    options = {"image_size": 12, "epochs": 2, "batch_size": 8, "checkpoint_minutes": 0}
    learner = CrossEntropy(augment=steps, **options)
    again = Learner.model_validate(learner.model_dump(exclude_defaults=True))
    assert again == learner

    def stop(done, total, unit):
        if done == 6:
            raise StopError

    with pytest.raises(StopError), work_context(tmp_path / "work", stop):
        learner.learn(squares)
    with work_context(tmp_path / "work", lambda *_: None):
        resumed = again.learn(squares)
    uninterrupted = learner.learn(squares)
    assert learned(resumed) == learned(uninterrupted)
    other = CrossEntropy(augment=steps[:2], **options).learn(squares)
    assert learned(other) != learned(uninterrupted)
