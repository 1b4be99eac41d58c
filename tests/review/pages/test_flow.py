"""The whole way: a run, a plan, people over HTTP, a certificate, and the run with the votes."""

import asyncio
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from adc_core import read_dataset, read_run
from adc_plugins_review.actions.serve import note
from adc_plugins_review.campaign.answers import Answer, vote
from adc_plugins_review.campaign.dealing import PLACES, deal, submit
from adc_plugins_review.campaign.plan import read_plan
from adc_plugins_review.campaign.raters import add_rater
from adc_plugins_review.campaign.source import source_of
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.web.desk import Desk


def made(folder):
    """The stages that the latest run did not take over."""
    stages = json.loads((folder / "run/run.json").read_text())["stages"]
    return {name for name in stages if not stages[name]["reused"]}


def test_from_a_run_to_a_certificate_and_to_a_better_run(folder, adc):
    first = read_run("run")
    assert len(first.curated) == 150, "no vote, no change"
    adc("review", "run", "plan", "--budget", "115", "--repair", "20", "--gold-file", "gold.csv")
    assert "0 of 100" in adc("review", "run", "status")
    assert "nobody has voted" in adc("certify", "run", fails=True)
    said = adc("review", "run", "rehearse", "--people", "3", "--error", "0.02", "--lazy", "1")
    assert "100 of 100" in said
    votes = pq.read_table("run/review/votes.parquet")
    assert set(votes["part"].to_pylist()) == {"repair", "audit"}
    bound = re.search(r"residual label noise ≤ ([\d.]+) %", adc("certify", "run"))
    assert bound, "the certificate is printed"

    adc("run", "pipeline.yaml", "--out", "run")
    assert made(folder) == {"enrichers/votes", "curators/votes"}, "nothing else is computed again"
    run = read_run("run")
    wrong = run.curated.labels != run.truth[np.searchsorted(run.collected.ids, run.curated.ids)]
    assert len(run.curated) < 150
    assert wrong.mean() <= float(bound[1]) / 100, "the bound holds"
    assert wrong.sum() < (first.curated.labels != first.truth).sum()
    assert "100 of 100" in adc("review", "run", "status"), "still of what people were shown"


def test_what_people_pick_is_a_test_set_and_leaves_the_training_set(folder, adc):
    adc("review", "run", "plan", "--tasks", "select", "--select-per-task", "10")
    assert "6 of 6" in adc("review", "run", "rehearse", "--people", "2")
    adc("review", "run", "export", "--test", "test", "--to", "votes.csv")
    adc("run", "pipeline.yaml", "--out", "run")
    picked, run = read_dataset("test"), read_run("run")
    assert 20 <= len(picked) == 150 - len(run.curated)
    assert not set(picked.ids.tolist()) & set(run.curated.ids.tolist())

    adc("review", "run", "plan", "--again", "--budget", "23")
    adc("run", "pipeline.yaml", "--out", "run")
    assert (folder / "run/review-001/votes.sqlite").is_file(), "a run leaves reviews alone"
    adc("review", "run", "import", "votes.csv")
    assert "answers of people" in adc("review", "run", "rehearse", fails=True)


def test_dealing_ends_once_the_certificate_is_good_enough(folder, adc):
    adc("review", "run", "plan", "--budget", "60", "--look", "any", "--gold", "0")
    source = source_of(plan := read_plan(Path("run")), Path("run"))
    desk = Desk(source, plan, "")
    try:
        rater = asyncio.run(desk.write(add_rater))
        batch = asyncio.run(desk.write(deal, rater, "vote"))
        for item in batch.items:
            said = Answer(-1 if item.row == plan.repair[0] else 1, ms=900)
            place = item.n % PLACES
            asyncio.run(desk.write(vote, rater, f"key-{item.n}", batch.id, place, said))
        asyncio.run(desk.write(submit, rater, batch.id))
        asyncio.run(note(desk, 0.01))
        assert "valid at any time" in desk.certificate
        batch = asyncio.run(desk.write(deal, rater, "vote"))
        asyncio.run(desk.write(submit, rater, batch.id))
        asyncio.run(note(desk, 0.5))
        with pytest.raises(Refused, match="the last task"):
            asyncio.run(desk.write(deal, rater, "vote"))
    finally:
        desk.close()
