"""Votes that go out and come in: tables, Label Studio, MTurk, Prolific, and the test set."""

import csv
import json
import re
from xml.etree import ElementTree

import pytest

from adc_core import InputError, read_dataset
from adc_plugins_review.actions.export_votes import ExportOptions, export_review
from adc_plugins_review.actions.import_votes import import_votes
from adc_plugins_review.actions.label_studio import read_label_studio
from adc_plugins_review.actions.links import LinkOptions, change_links
from adc_plugins_review.campaign.answers import Answer, judge, select, vote
from adc_plugins_review.campaign.dealing import PLACES, deal, submit
from adc_plugins_review.campaign.export import counted_votes, rater_rows
from adc_plugins_review.campaign.plan import REVIEW
from adc_plugins_review.campaign.raters import add_rater, raters
from adc_plugins_review.campaign.store import Store


def answer_all(store, person, says=lambda place: 1 - place % 3):
    while batch := deal(store, person, "vote"):
        for place, item in enumerate(batch.items):
            number, position = divmod(item.n, PLACES)
            answer = Answer(says(place), ms=1234, confidence=0.5)
            vote(store, person, f"key-{item.n}", number, position, answer)
        submit(store, person, batch.id)


@pytest.fixture
def review(make_review):
    return make_review(budget=60, votes="3")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_exported_and_imported_is_exported_again_byte_by_byte(review, tmp_path, suffix):
    store = review.store()
    people = [add_rater(store, name, trusted=name == "Ana") for name in ("Ana", None, None)]
    for person in (people[0], people[2]):  # one without a vote: numbers need not follow
        answer_all(store, person)
    judge(store, people[0], "one-key-", 3, "toy-003", 0, Answer(1, label=2))
    first = tmp_path / f"first.{suffix}"
    export_review(store, review.source, ExportOptions(to=first))
    store.close()
    (review.folder / "votes.sqlite").unlink()
    empty = review.store()
    said = import_votes(empty, review.source.dataset, first)
    assert said == "41 votes added, 0 were there already"
    assert import_votes(empty, review.source.dataset, first).startswith("0 votes added, 41 were")
    again = tmp_path / f"again.{suffix}"
    export_review(empty, review.source, ExportOptions(to=again))
    assert again.read_bytes() == first.read_bytes()
    decided = empty.db.execute("SELECT count(*) FROM item WHERE votes = 2 AND part <> 'other'")
    assert decided.fetchone()[0] == 20, "imported votes count towards the plan"
    empty.close()


def test_unknown_classes_are_refused_and_unknown_items_counted(review, tmp_path):
    store = review.store()
    table = tmp_path / "votes.csv"
    table.write_text("item,rater,label\ntoy-001,Bo,gren\n")
    with pytest.raises(InputError, match=r'there is no class "gren": did you mean "green"\?'):
        import_votes(store, review.source.dataset, table)
    assert not raters(store)
    table.write_text("task,worker,label\ntoy-001,Bo,green\nelse,Bo,green\n")
    said = import_votes(store, review.source.dataset, table)
    assert said == (
        "1 votes added, 0 were there already; 1 are on samples that are not under review"
    )
    assert [one.name for one in raters(store)] == ["Bo"]
    (row,) = rater_rows(store)
    assert (row["votes"], row["median_seconds"], row["look_at"]) == (1, None, False)
    store.close()


def chosen(*choices, by=7, at="10:00:00.513742", **more):
    """One annotation of Label Studio 1.x, as its JSON export has it."""
    result = {"id": "Dx_aB91ISN", "type": "choices", "from_name": "answer", "to_name": "image",
              "origin": "manual", "value": {"choices": list(choices)}}  # fmt: skip
    return {
        "id": 1001, "completed_by": by, "result": [result], "was_cancelled": False,
        "ground_truth": False, "created_at": f"2026-11-20T{at}Z", "updated_at": f"2026-11-21T{at}Z",
        "draft_created_at": None, "lead_time": 4.288, "prediction": {}, "result_count": 1,
        "unique_id": "3f2b", "last_action": None, "task": 1, "project": 83, "updated_by": 7,
        "parent_prediction": None, "parent_annotation": None, "last_created_by": None,
        **more,
    }  # fmt: skip


def task_of(sample, label, *annotations):
    """One task as the export has it, with a model's prediction and a draft: neither is a vote."""
    machine = {"model_version": "model 1", "score": 0.9, "result": chosen("yes")["result"]}
    return {
        "id": 1, "annotations": list(annotations), "drafts": [chosen("no", by=3)],
        "predictions": [machine], "file_upload": "tasks.json", "meta": {}, "inner_id": 1,
        "data": {"image": "/data/local-files/?d=x/1.png", "label": label, "adc_id": sample},
        "created_at": "2026-11-20T09:52:49.513742Z", "updated_at": "2026-11-20T11:16:08.746926Z",
        "project": 83, "total_annotations": 3, "cancelled_annotations": 1, "total_predictions": 1,
        "comment_count": 0, "unresolved_comment_count": 0, "comment_authors": [], "updated_by": 7,
    }  # fmt: skip


BO = {"id": 8, "email": "bo@x.example", "first_name": "Bo", "last_name": ""}


def test_what_annotators_of_label_studio_said(review, tmp_path):
    remark = {"type": "textarea", "from_name": "why", "to_name": "image", "value": {"text": ["?"]}}
    remarked = chosen("no", lead_time=4.2)
    remarked["result"].insert(0, remark)
    tasks = [
        task_of(
            "toy-001",
            "green",
            chosen("green", by=BO, at="11:30:00.000000"),  # thought better of it: the later counts
            chosen("red", by=BO, at="11:00:00.000000"),
            remarked,
            chosen("blue", by=BO, at="12:00:00.000000", ground_truth=True),
            chosen(by=9, was_cancelled=True, result=[], lead_time=None),
        ),
        task_of("toy-002", "blue", chosen("unsure", by={"id": 9, "email": ""})),
        task_of("toy-003", "red"),
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    store = review.store()
    assert import_votes(store, review.source.dataset, path).startswith("4 votes added")
    votes = counted_votes(store, names=True).to_pylist()
    assert [(one["rater"], one["label"], one["answer"], one["trusted"]) for one in votes] == [
        ("label-studio-7", "green", "no", False),
        ("label-studio-bo@x.example", "green", "yes", False),
        ("label-studio-bo@x.example (ground truth)", "blue", "yes", True),
        ("label-studio-9", "blue", "unsure", False),
    ]
    assert votes[0]["seconds"] == 4.2
    assert votes[0]["time"].isoformat() == "2026-11-20T10:00:00.513000+00:00"
    store.close()


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"annotations": []}, "it has no list of tasks"),
        ([{"data": {}, "annotations": [{}]}], "task 1 lacks adc_id"),
        ([{"id": 1, "image": "/1.png", "answer": "yes", "annotator": 7}], "not as JSON-MIN"),
        ([task_of("toy-001", "green", chosen("no", by=None))], "task 1 lacks .* who chose what"),
        ([task_of("toy-001", "green", chosen(result=[]))], "task 1 lacks .* who chose what"),
        ([task_of("toy-001", "green", chosen("red", "blue"))], "task 1 has .* with 2 choices"),
    ],
)
def test_what_label_studio_does_not_say(tmp_path, tasks, message):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    with pytest.raises(InputError, match=message):
        read_label_studio(path)


def test_tasks_for_label_studio_have_image_label_and_id(review, tmp_path):
    store = review.store()
    folder = tmp_path / "for-label-studio"
    export_review(store, review.source, ExportOptions(label_studio=folder))
    tasks = json.loads((folder / "tasks.json").read_text())
    assert len(tasks) == 20
    for task in tasks:
        assert task["data"].keys() == {"image", "label", "adc_id"}, "nothing that could sway"
        assert (folder.parent / task["data"]["image"].partition("?d=")[2]).is_file()
    config = ElementTree.parse(folder / "config.xml").getroot()
    assert [one.get("value") for one in config.iter("Choice")] == ["yes", "unsure", "no"]
    with pytest.raises(InputError, match="already exists"):
        export_review(store, review.source, ExportOptions(label_studio=folder))
    store.close()


def test_with_suggestions_label_studio_shows_what_detectors_say(review, tmp_path):
    store, folder = review.store(), tmp_path / "for-label-studio"
    options = ExportOptions(label_studio=folder, with_suggestions=True)
    export_review(store, review.source, options)
    dataset, found = review.source.dataset, review.source.findings["toy"]
    tasks = json.loads((folder / "tasks.json").read_text())
    wrong = 0
    for task in tasks:
        row = dataset.ids.tolist().index(task["data"]["adc_id"])
        label, (prediction,) = int(found.suggested_labels[row]), task["predictions"]
        (said,) = prediction["result"]
        expected = "no" if found.flagged[row] else "yes"
        assert said["value"] == {"choices": [expected]}
        assert 0 <= prediction["score"] <= 1
        named = dataset.classes[label] if label >= 0 else {"no": "wrong", "yes": "right"}[expected]
        assert task["data"]["suggestion"] == named
        wrong += expected == "no"
    assert 0 < wrong < len(tasks)
    config = ElementTree.parse(folder / "config.xml").getroot()
    assert config.findall("Header")[1].get("value") == "Detectors say: $suggestion"
    assert said["from_name"] == config.find("Choices").get("name")
    # What people say who saw that does not count towards the plan.
    answer = {"completed_by": 1, "result": [said | {"value": {"choices": ["no"]}}]}
    path = tmp_path / "export.json"
    path.write_text(json.dumps([one | {"annotations": [answer]} for one in tasks]))
    assert import_votes(store, dataset, path).startswith(f"{len(tasks)} votes added")
    assert set(counted_votes(store)["task"].to_pylist()) == {"relabel"}
    queue = "SELECT sum(votes) FROM item WHERE part IN ('repair', 'audit')"
    assert store.db.execute(queue).fetchone()[0] == 0
    with pytest.raises(InputError, match="--with-suggestions is for --label-studio FOLDER: add it"):
        export_review(store, review.source, ExportOptions(with_suggestions=True))
    store.close()


MTURK = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"


def test_links_for_platforms(review, tmp_path):
    store = review.store()
    folder, url = review.source.folder, "https://review.example"
    (prolific,) = change_links(store, folder, url, LinkOptions(platform="prolific", code="C0DE"))
    assert re.fullmatch(
        r"https://review\.example/join/[\w-]{22}\?PROLIFIC_PID=\{\{%PROLIFIC_PID%\}\}"
        r"&STUDY_ID=\{\{%STUDY_ID%\}\}&SESSION_ID=\{\{%SESSION_ID%\}\}",
        prolific,
    )
    (path,) = change_links(store, folder, url, LinkOptions(platform="mturk"))
    # What MTurk's reference of ExternalQuestion demands: this namespace on all elements, both
    # elements in this order, a valid URL, to which MTurk appends parameters, and a whole number.
    # 0 is the height of the worker's window.
    root = ElementTree.parse(path).getroot()
    assert [one.tag for one in root.iter()] == [
        f"{{{MTURK}/2006-07-14/ExternalQuestion.xsd}}{name}"
        for name in ("ExternalQuestion", "ExternalURL", "FrameHeight")
    ]
    assert not any(one.attrib for one in root.iter()) and not (root.text or "").strip()
    assert re.fullmatch(rf"{re.escape(url)}/join/[\w-]{{22}}", root[0].text)
    assert root[1].text == "0"
    with pytest.raises(InputError, match="HTTPS alone"):
        change_links(store, folder, "http://x.example", LinkOptions(platform="mturk"))
    hits = tmp_path / "hits.csv"
    export_review(store, review.source, ExportOptions(mturk=hits, public_url=url))
    store.close()
    with hits.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    # Columns are variables of the HIT's form, ${image_1}: one HIT a row, with a cell for each.
    assert len(set(head)) == 60 and all(re.fullmatch(r"[A-Za-z]\w*", one) for one in head)
    assert [len(row) for row in rows] == [60]
    first = dict(zip(head, rows[0], strict=True))
    assert first["image_1"] == f"{url}/{first['id_1']}"
    assert {first[f"label_{n}"] for n in range(1, 21)} <= {"red", "green", "blue"}


def test_addresses_of_images_are_quoted(make_review, tmp_path):
    ids = [f"a b/{row}?#&.png" for row in range(150)]
    review = make_review({"ids": ids}, budget=20, votes="1", repair=0)
    store, path = review.store(), tmp_path / "hits.csv"
    options = ExportOptions(mturk=path, public_url="https://x.example/i/")
    export_review(store, review.source, options)
    store.close()
    row = next(csv.DictReader(path.read_text().splitlines()))
    assert re.fullmatch(r"https://x\.example/i/a%20b/\d+%3F%23%26\.png", row["image_1"])


def test_ids_of_a_platform_are_kept_only_where_the_owner_says_so(review, serving):
    store, folder, url = review.store(), review.source.folder, "http://x"
    with pytest.raises(InputError, match="--keep-ids is about people of a platform: add --for "):
        change_links(store, folder, url, LinkOptions(keep_ids=True))
    (link,) = change_links(store, folder, url, LinkOptions(platform="prolific", keep_ids=True))
    store.close()
    join = link.removeprefix(url).partition("?")[0]
    with serving(review, workers=0) as served:
        moved = served.get(f"{join}?PROLIFIC_PID=worker-5f3a").headers["Location"]
        start = served.get(moved).body.decode()
        assert "with the id that your platform gave you" in start
        assert "worker-5f3a" in served.get(served.owner).body.decode()
    store = review.store()
    assert [one.name for one in raters(store)] == ["worker-5f3a"]
    assert change_links(store, folder, url, LinkOptions(forget="worker-5f3a"))
    change_links(store, folder, url, LinkOptions(platform="prolific"))
    assert add_rater(store, external="another").name is None
    for path in review.folder.glob("votes.sqlite*"):
        assert b"worker-5f3a" not in path.read_bytes(), "deleted from the disk, too"
    store.close()


def test_links_are_made_listed_and_revoked(review):
    store, folder, url = review.store(), review.source.folder, "http://x"
    made = change_links(store, folder, url, LinkOptions(n=2))
    assert change_links(store, folder, url, LinkOptions()) == made
    change_links(store, folder, url, LinkOptions(revoke="r01"))
    assert change_links(store, folder, url, LinkOptions()) == made[1:]
    with pytest.raises(InputError, match=r'no rater "r09"'):
        change_links(store, folder, url, LinkOptions(revoke="r09"))
    store.close()


def test_the_test_set_has_what_was_picked_and_nothing_that_was_rejected(make_review, tmp_path):
    review = make_review(budget=150, votes="1", tasks=("vote", "select"), select_per_task=10,
                         select_tasks=3)  # fmt: skip
    store = review.store()
    with pytest.raises(InputError, match="nothing is picked"):
        export_review(store, review.source, ExportOptions(test=tmp_path / "test"))
    person = add_rater(store)
    batch = deal(store, person, "select")
    for grid in dict.fromkeys(item.grid for item in batch.items):
        chosen = [item.n % PLACES for item in batch.items if item.grid == grid][:5]
        select(store, person, f"key-{grid}-x", batch.id, grid, chosen, fewer=False, ms=9)
    answer_all(store, person, says=lambda place: -1 if place % 2 else 1)
    export_review(store, review.source, ExportOptions(test=tmp_path / "test"))
    found = read_dataset(tmp_path / "test")
    rejected = {row[0] for row in store.db.execute("SELECT sample FROM item WHERE verdict = 0")}
    assert 0 < len(found) < 15
    assert not rejected & set(found.ids.tolist())
    assert Store(review.source.folder / REVIEW, review.plan, read_only=True).meta("plan")
    store.close()


def test_what_experts_know_becomes_control_questions(review, tmp_path):
    store = review.store()
    with pytest.raises(InputError, match="no expert has kept"):
        export_review(store, review.source, ExportOptions(gold_file=tmp_path / "gold.csv"))
    ana = add_rater(store, "Ana", trusted=True)
    decided = {3: Answer(1, label=2), 4: Answer(1, label=1), 5: Answer(-1, label=2)}
    for row, answer in decided.items():
        sample = str(review.source.dataset.ids[row])
        judge(
            store, ana, f"key-{row}-x", row, sample, int(review.source.dataset.labels[row]), answer
        )
    export_review(store, review.source, ExportOptions(gold_file=tmp_path / "gold.csv"))
    rows = list(csv.DictReader((tmp_path / "gold.csv").read_text().splitlines()))
    assert rows == [{"id": "toy-003", "label": "blue"}, {"id": "toy-004", "label": "green"}]
    store.close()
