"""`adc review FOLDER status`: the dashboard as text."""

from adc_core.reporting import table
from adc_plugins_review.campaign.export import rater_rows
from adc_plugins_review.campaign.progress import answer_patterns, parts, task_progress
from adc_plugins_review.campaign.store import Store

_PARTS = {"repair": "the most suspicious", "audit": "drawn at random"}


def status_text(store: Store) -> str:
    """Write how far a review is, and who does it."""
    blocks = []
    rows = [
        [one.task, f"{one.decided:,} of {one.items:,}", f"{one.votes:,}", str(one.per_hour)]
        for one in task_progress(store)
    ]
    blocks.append(table(["task", "done", "answers", "in the last hour"], rows))
    if found := parts(store):
        rows = [
            [_PARTS[one.part], f"{one.items:,}", f"{one.decided:,}", f"{one.wrong:,}"]
            for one in found
        ]
        blocks.append(table(["samples", "planned", "decided", "judged wrong"], rows))
    counts = answer_patterns(store)
    if total := sum(counts.values()):
        rows = [
            [pattern, f"{count:,}", f"{100 * count / total:.1f} %"]
            for pattern, count in counts.items()
        ]
        blocks.append(table(["three people", "samples", "share"], rows))
    people = rater_rows(store)
    if people:
        rows = [
            [
                str(one["rater"]),
                f"{one['votes']:,}",
                "" if one["median_seconds"] is None else f"{one['median_seconds']}",
                f"{one['gold_right']} of {one['gold_shown']}" if one["gold_shown"] else "",
                str(one["state"]) + (", look at" if one["look_at"] else ""),
            ]
            for one in people
        ]
        blocks.append(table(["who", "votes", "median s", "control questions", "state"], rows))
    return "\n\n".join(blocks)
