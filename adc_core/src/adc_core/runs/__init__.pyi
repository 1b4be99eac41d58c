from .image_check import BROKEN_IMAGES, Broken, broken_images, leave_out, name_of, said
from .listeners import Listeners, hookimpl, installed_listeners
from .pipeline import Pipeline
from .pipeline_check import check_pipeline
from .run_reader import is_finished, is_run_directory, left_out_images, read_collected, read_run
from .run_record import COLLECTOR, PIPELINE, RunRecord, StageRecord, read_record
from .runner import collect_pipeline, run_pipeline

__all__ = [
    "BROKEN_IMAGES",
    "COLLECTOR",
    "PIPELINE",
    "Broken",
    "Listeners",
    "Pipeline",
    "RunRecord",
    "StageRecord",
    "broken_images",
    "check_pipeline",
    "collect_pipeline",
    "hookimpl",
    "installed_listeners",
    "is_finished",
    "is_run_directory",
    "leave_out",
    "left_out_images",
    "name_of",
    "read_collected",
    "read_record",
    "read_run",
    "run_pipeline",
    "said",
]
