"""Label Studio: tasks to import there, and reading what its annotators said."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pyarrow as pa

from adc_core import Dataset, InputError
from adc_core.storage import atomic_folder, write_json
from adc_plugins_review.campaign.plan import ReviewPlan
from adc_plugins_review.votes.votes_table import ANSWERS, votes_table

TASKS, CONFIG, IMAGES = "tasks.json", "config.xml", "images"

_CONFIG = """<View>
  <Header value="Is this a $label?"/>
  <Image name="image" value="$image"/>
  <Choices name="answer" toName="image" choice="single" required="true">
{choices}
  </Choices>
</View>
"""


def export_label_studio(dataset: Dataset, plan: ReviewPlan, folder: Path) -> int:
    """Write tasks, their images and the labelling configuration into a new folder.

    The images lie in `images/`, to be served as Label Studio's local files: the folder's parent is
    its document root, and `image` says where each is below it.

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
            tasks.append({"data": data})
        write_json(part / TASKS, tasks)
        choices = "\n".join(f"    <Choice value={quoteattr(word)}/>" for word in ANSWERS)
        (part / CONFIG).write_text(_CONFIG.format(choices=choices), encoding="utf-8")
    return len(queue)


def read_label_studio(path: Path) -> pa.Table:
    """Read the JSON export of Label Studio as a table of votes.

    A choice that is `yes`, `unsure` or `no` is an answer about the task's label; any other one is
    the class that the annotator gives. Skipped annotations, predictions and drafts are no votes.
    Annotations that are marked as ground truth are an expert's: they get a rater of their own,
    since the same person's others are ordinary. Of two by one rater on a task the later one counts.

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
        name: [] for name in ("item", "rater", "label", "answer", "seconds", "time", "trusted")
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
