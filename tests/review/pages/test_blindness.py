"""Nobody who votes is sent what is known of a sample: all bytes of a session are looked at."""

import json
import re

from adc_core.testing.toys import toy_findings
from adc_plugins_review.campaign.dealing import PLACES
from adc_plugins_review.campaign.export import counted_votes
from adc_plugins_review.web.guard import Buckets


def test_a_worker_is_sent_nothing_that_could_sway_a_vote(make_review, serving, monkeypatch):
    monkeypatch.setattr(Buckets, "take", lambda *_: True)  # it is quicker than a person
    classes = ("crimson", "emerald", "azure")
    review = make_review(
        {"classes": classes}, gold=20, budget=60, repair=20, tasks=("vote", "select"),
        select_per_task=10, select_tasks=2,
    )  # fmt: skip
    received, sizes, gold_sizes = [], [], []
    with serving(review) as served:
        link = served.workers[0]

        def keep(answer):
            received.append(answer.body)
            received.extend(f"{name}: {value}".encode() for name, value in answer.headers.items())
            return answer

        for path in (link, f"{link}/vote", f"{link}/select", "/static/vote.js"):
            keep(served.get(path))
        store = review.store()
        labels = []
        while (batch := keep(served.post(f"{link}/batch", {"task": "vote"})).json())["batch"]:
            for item in batch["items"]:
                image = keep(served.get(item["image"]))
                part, label = store.db.execute(
                    "SELECT part, item.label FROM place JOIN item ON item.id = item "
                    "WHERE batch = ? AND position = ?",
                    divmod(item["n"], PLACES),
                ).fetchone()
                labels.append((item["label"], classes[label]))
                size = len(json.dumps({**item, "label": "", "question": [], "n": 0, "image": ""}))
                (gold_sizes if part == "gold" else sizes).append((size, sorted(image.headers)))
                keep(served.post(f"{link}/vote", {"n": item["n"], "answer": "yes", "ms": 900}))
            keep(served.post(f"{link}/submit", {"batch": batch["batch"]}))
        keep(served.get(link))
        assert len(counted_votes(store)) >= 40 and gold_sizes
        store.close()
    text = b"\n".join(received).decode("latin-1")
    assert all(shown == asked for shown, asked in labels)
    for word in ("suspic", "repair", "audit", "gold", "truth", "suggest", "flagged", "confident",
                 "toy-0", "toy-1", "verdict", "detector", "noise_rate"):  # fmt: skip
        assert word not in text.lower(), word
    for suspicion in {f"{one:g}" for one in toy_findings().suspicion}:
        assert not re.search(rf"[^\d.]{re.escape(suspicion)}[^\d]", text), suspicion
    assert {tuple(map(str, one)) for one in gold_sizes} <= {tuple(map(str, one)) for one in sizes}


def test_the_answers_of_others_are_not_shown(make_review, serving):
    review = make_review(budget=3, votes="3")
    pages = []
    with serving(review) as served:
        for worker in (0, 1):
            batch = served.deal(worker)
            pages.append((batch["answered"], served.get(f"{served.workers[worker]}/vote").body))
            served.post(
                f"{served.workers[worker]}/vote", {"n": batch["items"][0]["n"], "answer": "no"}
            )
    assert pages[1][0] == {}
    assert pages[1][1].count(b'aria-pressed="true"') == 0


def test_who_comes_while_others_have_the_rest_is_told_to_wait(make_review, serving):
    with serving(make_review(budget=10, votes="1")) as served:
        served.deal(0)
        said = served.get(f"{served.workers[1]}/vote").body.decode()
    assert "Others have the last images at the moment" in said
