"""The plan: fixed before the first vote, the same for the same seed, refused where it cannot be."""

import json
import subprocess
import sys

import numpy as np
import pytest

from adc_core import InputError, WorkError
from adc_core.cli import main
from adc_core.storage import save_dataset
from adc_core.testing.toys import toy_dataset
from adc_plugins_review.actions.options import OPTIONS
from adc_plugins_review.campaign.plan import PLAN, ReviewPlan, read_plan
from adc_plugins_review.certificate.planning import expected_errors, sampling_weights


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A saved dataset, as a folder of its own."""
    save_dataset(toy_dataset().replace(votes=None), tmp_path / "toys")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return main(["review", *words])


def test_equal_seeds_make_equal_plans_and_another_seed_another_audit(make_review):
    first, again, other = (make_review(budget=60, seed=seed).plan for seed in (3, 3, 4))
    assert first.replace(created="") == again.replace(created="")
    assert first.repair == other.repair
    assert set(first.audit) != set(other.audit)


def test_the_suspicious_are_looked_at_first_and_the_rest_is_drawn(make_review):
    review = make_review(budget=69, repair=20)
    plan = review.plan
    assert len(plan.repair) == 20 and len(plan.audit) == 40
    assert set(plan.repair) == set(review.source.order[:20].tolist())
    assert not set(plan.repair) & set(plan.audit)
    parts = [part for _, part in plan.queue()]
    for end in range(1, 61):
        assert abs(parts[:end].count("repair") - end / 3) <= 1, "neither part runs ahead"


def test_an_audit_for_any_time_prefers_what_is_expected_to_be_wrong(make_review):
    plans = [make_review(budget=60, look="any", repair=0, seed=seed).plan for seed in range(40)]
    weights = sampling_weights(expected_errors(150, plans[0].rate, plans[0].auc))
    order = make_review().source.order
    place = np.empty(150, int)
    place[order] = np.arange(150)
    drawn = np.concatenate([place[list(plan.audit)] for plan in plans])
    assert weights[drawn].mean() > weights.mean()
    assert plans[0].weights == plans[1].weights is not None


def test_who_asks_control_questions_pays_for_them(make_review):
    without, asked = make_review().plan, make_review(gold=20).plan
    assert (without.alpha.audit, without.alpha.gold) == (0.05, 0)
    assert (asked.alpha.audit, asked.alpha.gold, asked.alpha.thinning) == (0.04, 0.005, 0.005)
    assert [question.right for question in asked.gold] == [True, False] * 10
    for question in asked.gold:
        truth = make_review().source.truth[question.row]
        assert (question.label == truth) == question.right


def test_grids_share_class_and_attributes_and_show_nothing_twice(make_review):
    colors = np.where(np.arange(150) % 2, "navy", "beige")
    plan = make_review(
        changes={"attributes": {"color": colors}},
        tasks=("select",), select_per_task=8, select_tasks=6,
    ).plan  # fmt: skip
    shown = [row for task in plan.select for row in task.rows]
    assert len(shown) == len(set(shown)) == 48
    assert {task.label for task in plan.select} == {0, 1, 2}
    for task in plan.select:
        assert {colors[row] for row in task.rows} == {task.attributes["color"]}


def test_a_plan_stands_until_it_is_put_aside(toys, capsys):
    assert run("toys", "plan", "--out", "rev", "--budget", "40") == 0
    first = read_plan(toys / "rev")
    assert first.sha256[:12] in capsys.readouterr().out
    assert run("rev", "plan") == 2
    assert capsys.readouterr().err == (
        "adc: rev/review/plan.json is there already: `plan --again` puts that review aside\n"
    )
    assert run("toys", "plan", "--out", "rev", "--again", "--seed", "1") == 0
    assert json.loads((toys / "rev/review-001" / PLAN).read_text())["seed"] == 0
    assert read_plan(toys / "rev").seed == 1


def test_another_dataset_under_the_plan_is_refused(toys, capsys):
    run("toys", "plan", "--out", "rev", "--budget", "40")
    (toys / "toys").rename(toys / "former")
    labels = (toy_dataset().labels + 1) % 3
    save_dataset(toy_dataset().replace(votes=None, labels=labels), toys / "toys")
    capsys.readouterr()
    assert run("rev", "status") == 2
    assert capsys.readouterr().err == (
        "adc: rev has other samples or labels than rev/review/plan.json was made for: make a new "
        "plan with `plan --again`, or put the dataset back\n"
    )


def test_a_plan_that_was_edited_is_refused_once_there_is_a_database(make_review):
    review = make_review()
    review.store().close()
    review.plan = review.plan.replace(seed=9)
    with pytest.raises(WorkError, match="has votes under another plan"):
        review.store()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("toys", "plan"), "toys is not a run directory: of a dataset, say with --out where the "
         "review goes"),
        (("toys", "plan", "--out", "r", "--repair", "5"),
         "--repair needs findings, to know which samples are suspect"),
        (("toys", "plan", "--out", "r", "--question", "What?"),
         "--question has to say {label} where the class belongs"),
        (("toys", "plan", "--out", "r", "--tasks", "select", "--select-classes", "gren"),
         '--select-classes: there is no class "gren": did you mean "green"?'),
        (("toys", "status", "--budget", "3"),
         "--budget is for plan: adc review toys plan --budget"),
        (("toys", "import"), "write `import FILE`: votes to add, as `export` writes them"),
        (("toys", "status"),
         "toys/review/plan.json is not there: run `adc review toys plan` first"),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(toys, capsys, words, message):
    assert run(*words) == 2
    assert capsys.readouterr().err == f"adc: {message}\n"
    assert not (toys / "r").exists()


def test_a_record_refuses_rows_that_are_not_there():
    fields = {"created": "now", "dataset": "x", "samples": 5, "classes": ("a", "b"),
              "alpha": {"audit": 0.05}}  # fmt: skip
    with pytest.raises(InputError, match="in the repair or audit part twice"):
        ReviewPlan(**fields, repair=(1,), audit=(1,))
    with pytest.raises(InputError, match="rows are 0…4"):
        ReviewPlan(**fields, audit=(5,))


def test_all_but_the_pages_work_without_the_libraries_of_the_server(toys):
    program = (
        "import sys; sys.modules['aiohttp'] = sys.modules['jinja2'] = None\n"
        "from adc_core.cli import main\n"
        "for words in sys.argv[1:]: print(main(['review', *words.split()]), file=sys.stderr)"
    )
    works = (
        "toys plan --out rev --budget 40",
        *("rev links -n 2", "rev export --to votes.csv", "rev import votes.csv", "rev status"),
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *works, "rev serve"], capture_output=True, text=True
    )
    said = 'adc: the pages need more: pip install "adc-plugins-review[web]"\n'
    assert done.stderr == "0\n" * len(works) + said + "2\n"


def test_an_option_of_two_actions_is_one_option():
    kinds = {}
    for options in OPTIONS.values():
        for name, settings in options.items():
            kind = (settings.get("type"), settings.get("action"), settings.get("choices"))
            assert kinds.setdefault(name, kind) == kind, name
