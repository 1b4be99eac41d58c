"""Trains in the folder and with the backbone given, and tells of each step; waits to be killed."""

import signal
import sys

import torch

from adc_core import read_dataset
from adc_core.components.context import work_context
from adc_plugins_learn.learners.cross_entropy import CrossEntropy

dataset, backbone, folder = sys.argv[1:]
torch.set_num_threads(1)
with work_context(folder, lambda done, total, unit: print(done, flush=True)):
    CrossEntropy(
        backbone=backbone, image_size=16, epochs=3, batch_size=8, checkpoint_minutes=0
    ).learn(read_dataset(dataset))
signal.pause()
