"""Label Studio: tasks to import there, and reading what its annotators said."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa

from adc_core import Dataset, InputError
from adc_core.storage import atomic_folder, write_json
from adc_plugins_review.campaign.plan import ReviewPlan
from adc_plugins_review.campaign.suspects import Suspects
from adc_plugins_review.votes.votes_table import ANSWERS, votes_table

TASKS, CONFIG, IMAGES = "tasks.json", "config.xml", "images"

_CONFIG = """<View>
  <Header value="Is this a $label?"/>{more}
  <Image name="image" value="$image"/>
  <Choices name="answer" toName="image" choice="single" required="true">
{choices}
  </Choices>
</View>
"""


_SUGGESTED = '\n  <Header size="4" value="Detectors say: $suggestion"/>'


def export_label_studio(
    dataset: Dataset, plan: ReviewPlan, folder: Path, suspects: Suspects | None = None
) -> int:
    """Write tasks, their images and the labelling configuration into a new folder.

    The images lie in `images/`, to be served as Label Studio's local files: the folder's parent is
    its document root, and `image` says where each is below it.

    Args:
        dataset: the samples under review.
        plan: whose queue becomes tasks.
        folder: must not exist.
        suspects: what detectors say, to be shown as predictions; None: people judge unaware of it.

    Returns:
        How many tasks there are.

    Raises:
        WorkError: an image or the folder cannot be written.
    """
    images = dataset.images
    assert images is not None
    queue = plan.queue()
    with atomic_folder(folder, folder.with_name(f".{folder.name}.part")) as part:
        (part / IMAGES).mkdir()
        tasks = []
        for number, (row, _) in enumerate(queue):
            content, suffix = images.encoded(row)
            name = f"{number:06}{suffix}"
            (part / IMAGES / name).write_bytes(content)
            data = {
                "image": f"/data/local-files/?d={folder.name}/{IMAGES}/{name}",
                "label": plan.classes[int(dataset.labels[row])],
                "adc_id": str(dataset.ids[row]),
            }
            task: dict[str, Any] = {"data": data}
            if suspects is not None:
                data["suggestion"], task["predictions"] = _suggestion(suspects, row, plan.classes)
            tasks.append(task)
        write_json(part / TASKS, tasks)
        choices = "\n".join(f"    <Choice value={quoteattr(word)}/>" for word in ANSWERS)
        config = _CONFIG.format(choices=choices, more="" if suspects is None else _SUGGESTED)
        (part / CONFIG).write_text(config, encoding="utf-8")
    return len(queue)


def _suggestion(
    suspects: Suspects, row: int, classes: tuple[str, ...]
) -> tuple[str, list[dict[str, Any]]]:
    """Say in words, and as a prediction of Label Studio, what detectors say of a label."""
    label, opinions = int(suspects.suggested[row]), suspects.opinions(row)
    wrong = label >= 0 or 2 * sum(one.flagged for one in opinions) > len(opinions)
    said = {
        "from_name": "answer",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": ["no" if wrong else "yes"]},
    }
    prediction: dict[str, Any] = {"model_version": "adc", "result": [said]}
    if not np.isnan(suspicion := float(suspects.suspicion[row])):
        prediction["score"] = round(suspicion, 4)
    return classes[label] if label >= 0 else ("wrong" if wrong else "right"), [prediction]


def read_label_studio(path: Path) -> pa.Table:
    """Read the JSON export of Label Studio as a table of votes.

    A choice that is `yes`, `unsure` or `no` is an answer about the task's label; any other one is
    the class that the annotator gives. Skipped annotations, predictions and drafts are no votes.
    Annotations that are marked as ground truth are an expert's: they get a rater of their own,
    since the same person's others are ordinary. Of two by one rater on a task the later one counts.
    What people say who were shown suggestions is of the task `relabel`: it counts towards no plan.

    Raises:
        InputError: it is no such export; the message names the task.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(tasks, list):
        raise InputError(f"{path} is no JSON export of Label Studio: it has no list of tasks")
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("item", "rater", "label", "answer", "seconds", "time", "task", "trusted")
    }
    for number, task in enumerate(tasks, 1):
        try:
            data = task["data"]
            said = [one for one in task["annotations"] if not one.get("was_cancelled")]
            said.sort(key=lambda one: one.get("created_at") or "")
            for rater, annotation in {_rater(one): one for one in said}.items():
                choices = _choices(annotation)
                if len(choices) > 1:
                    raise InputError(
                        f"{path}: task {number} has an annotation with {len(choices)} choices: a "
                        'vote names one class; let people choose with choice="single"'
                    )
                choice = choices[0]
                columns["item"].append(str(data["adc_id"]))
                columns["rater"].append(rater)
                columns["label"].append(data["label"] if choice in ANSWERS else choice)
                columns["answer"].append(choice if choice in ANSWERS else "yes")
                columns["seconds"].append(annotation.get("lead_time"))
                columns["time"].append(annotation.get("created_at"))
                columns["task"].append("relabel" if "suggestion" in data else "vote")
                columns["trusted"].append(bool(annotation.get("ground_truth")))
        except (KeyError, IndexError, TypeError, AttributeError):
            raise InputError(
                f"{path}: task {number} lacks adc_id, label, or who chose what in an annotation: "
                "export the tasks of `adc review FOLDER export` as JSON, not as JSON-MIN"
            ) from None
    columns["time"] = pa.array(columns["time"], pa.string())
    return votes_table(columns)


def _choices(annotation: dict[str, Any]) -> list[str]:
    """Return what was chosen; other results of an annotation, such as remarks, are left out."""
    values = (result["value"] for result in annotation["result"])
    return [choice for value in values for choice in value.get("choices", ())]


def _rater(annotation: dict[str, Any]) -> str:
    """Name an annotator: by address, where the export has users whole, or by number."""
    by = annotation["completed_by"]
    who = (by.get("email") or by["id"]) if isinstance(by, dict) else int(by)
    return f"label-studio-{who}" + (" (ground truth)" if annotation.get("ground_truth") else "")
