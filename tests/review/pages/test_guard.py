"""Each threat of the security table, over real HTTP."""

import json
import random
import secrets
import sqlite3
import threading

import pytest
from PIL import Image

from adc_core.images import ImageFiles
from adc_plugins_review.campaign.export import events
from adc_plugins_review.campaign.raters import campaign_token, owner_token, set_state
from adc_plugins_review.web.guard import Buckets

OWN = {"X-ADC-Review": "1", "Content-Type": "application/json"}


@pytest.fixture
def review(make_review):
    return make_review(budget=100)


def count(review):
    store = review.store()
    number = len(events(store))
    store.close()
    return number


def test_tokens_cannot_be_guessed_and_nothing_tells_an_unknown_one(review, serving):
    with serving(review) as served:
        unknown = served.get(f"/w/{secrets.token_urlsafe(16)}")
        assert unknown.status == 404
        for path in ("/nowhere", f"/o/{secrets.token_urlsafe(16)}", "/join/x", "/static/x.js"):
            answer = served.get(path)
            assert (answer.status, answer.body) == (404, unknown.body), path
        statuses = [served.get(f"/w/{secrets.token_urlsafe(16)}").status for _ in range(300)]
        assert set(statuses) == {404, 429}
        assert statuses.count(404) <= 21
        assert served.get(served.workers[0]).status == 200, "who has a link is let in"
    found = review.folder.joinpath("votes.sqlite").read_bytes()
    for link in (*served.workers, served.owner):
        assert link.rpartition("/")[2].encode() not in found


def test_a_crash_tells_no_token_and_no_traceback_to_the_client(review, capfd, monkeypatch, serving):
    from adc_plugins_review.web import worker_pages

    monkeypatch.setattr(worker_pages, "batch_json", lambda *_: 1 / 0)
    with serving(review) as served:
        link = served.workers[0]
        answer = served.post(f"{link}/batch", {"task": "vote"})
    assert answer.status == 500
    assert answer.json() == {"error": "something went wrong here"}
    said = "".join(capfd.readouterr())
    assert "ZeroDivisionError" in said
    assert link.rpartition("/")[2] not in said


def test_headers_of_every_answer(review, serving):
    with serving(review) as served:
        link = served.workers[0]
        image = served.deal()["items"][0]["image"]
        for path in ("/", link, f"{link}/vote", image, "/static/vote.js", "/nowhere", served.owner):
            headers = served.get(path).headers
            assert headers["Content-Security-Policy"] == (
                "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
                "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            )
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Set-Cookie" not in headers
            assert "Access-Control-Allow-Origin" not in headers
        assert served.get(link).headers["Cache-Control"] == "no-store"


def test_a_frame_of_another_site_is_let_in_by_name_alone(review, serving):
    with serving(review, embed=("https://www.mturk.com",)) as served:
        policy = served.get(served.workers[0]).headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.mturk.com" in policy
    assert "form-action 'self' https://www.mturk.com" in policy


def test_requests_of_other_sites_are_refused(review, serving):
    with serving(review) as served:
        link = served.workers[0]
        n = served.deal()["items"][0]["n"]
        text = f"key=0123456789&n={n}&answer=yes"
        evil = {"Origin": "http://evil.example"}
        assert served.form(f"{link}/vote", text, **evil).status == 403
        assert served.form(f"{link}/vote", text, **{"Sec-Fetch-Site": "cross-site"}).status == 403
        body = json.dumps({"key": "0123456789", "n": n, "answer": "yes"})
        plain = {"Content-Type": "text/plain", "X-ADC-Review": "1"}
        assert served.ask("POST", f"{link}/vote", body, plain).status == 403
        bare = {"Content-Type": "application/json"}
        assert served.ask("POST", f"{link}/vote", body, bare).status == 403
        assert served.ask("OPTIONS", f"{link}/vote", None, evil).status in (403, 405)
        assert count(review) == 0
        assert served.form(f"{link}/vote", text).status == 303
        assert count(review) == 1


def test_another_name_of_the_host_is_refused(review, serving):
    with serving(review, public_url="https://review.example/") as served:
        for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1:1"):
            assert served.get("/", host=host).status == 421
        for host in (f"localhost:{served.port}", "review.example"):
            assert served.get("/", host=host).status == 200


def test_images_are_those_of_ones_own_batches(review, serving):
    with serving(review) as served:
        own, other = served.workers
        image = served.deal(0)["items"][0]["image"]
        assert served.get(image).headers["Content-Type"] == "image/jpeg"
        assert served.get(image.replace(own, other)).status == 404
        for n in ("0", "999999999", "..%2f..%2fplan.json", "%00", "1" * 40, "-1", "1.0"):
            assert served.get(f"{own}/image/{n}").status == 404, n
        for side in ("1", "99999", "x"):
            assert served.get(f"{image}?s={side}").status == 404
        for name in ("..%2fserver.py", "%2e%2e/server.py", "server.py", "review.css.map"):
            assert served.get(f"/static/{name}").status == 404


def test_an_image_is_kept_by_the_browser_and_told_apart_by_its_content(review, serving):
    with serving(review) as served:
        path = served.deal()["items"][0]["image"]
        first = served.get(path)
        again = served.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        assert "immutable" in first.headers["Cache-Control"]


def test_hostile_images_are_shown_as_grey_ones(make_review, tmp_path, serving, monkeypatch):
    monkeypatch.setattr(Buckets, "take", lambda *_: True)  # it is quicker than a person
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (20, 20), "red").save(folder / "good.jpg", exif=b"Exif\0\0secret place")
    (folder / "svg.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>")
    (folder / "cut.jpg").write_bytes((folder / "good.jpg").read_bytes()[:200])
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    names = ["good.jpg", "cut.jpg", "bomb.png", *["good.jpg"] * 147]
    review = make_review({"images": ImageFiles(folder, names)}, budget=200, votes="1")
    with serving(review) as served:
        shown = {}
        while (batch := served.deal())["batch"]:
            store = review.store()
            for position, row in store.db.execute(
                "SELECT position, row FROM place JOIN item ON item.id = item WHERE batch = ?",
                (batch["batch"],),
            ):
                shown[row] = batch["items"][position]["image"]
            store.close()
            for item in batch["items"]:
                served.post(f"{served.workers[0]}/vote", {"n": item["n"], "answer": "yes"})
            served.post(f"{served.workers[0]}/submit", {"batch": batch["batch"]})
            if {0, 1, 2} <= shown.keys():
                break
        good, cut, bomb = (served.get(shown[row]) for row in range(3))
        assert b"secret place" not in good.body and good.body[:2] == b"\xff\xd8"
        assert cut.body == bomb.body != good.body
        (folder / "good.jpg").write_bytes((folder / "svg.jpg").read_bytes())
        assert served.get(shown[0]).body == good.body, "as it was when the plan was made"
        other = served.get(f"{shown[0]}?s=256").body
        assert other not in (good.body, cut.body), "changed: withdrawn"
        store = review.store()
        withdrawn = store.db.execute("SELECT count(*) FROM item WHERE withdrawn IS NOT NULL")
        assert withdrawn.fetchone()[0] == 1
        store.close()


def test_a_flood_of_one_link_does_not_reach_the_others(review, serving):
    with serving(review) as served:
        statuses = [served.get(f"{served.workers[0]}/vote").status for _ in range(200)]
        assert statuses.count(429) > 50
        assert served.get(f"{served.workers[1]}/vote").status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"extra": 1}, 400),
        ({"answer": "maybe"}, 400),
        ({"ms": "5"}, 400),
        ({"ms": -1}, 400),
        ({"ms": 1e308}, 400),
        ({"confidence": float("nan")}, 400),
        ({"confidence": 2}, 400),
        ({"n": True}, 400),
        ({"n": None}, 400),
        ({"n": 10**30}, 400),
        ({"key": "short"}, 400),
        ({"key": "x" * 65}, 400),
        ({"key": "<script>alert(1)"}, 400),
        ({"n": 999}, 404),
    ],
)
def test_bodies_that_are_not_what_they_should_be(review, change, status, serving):
    with serving(review) as served:
        n = served.deal()["items"][0]["n"]
        body = {"key": "0123456789", "n": n, "answer": "yes", "ms": 5} | change
        assert served.post(f"{served.workers[0]}/vote", body).status == status
    assert count(review) == 0


def test_bodies_that_are_no_json_or_too_long(review, serving):
    with serving(review) as served:
        path = f"{served.workers[0]}/vote"
        for text in ("", "{", "[]", "null", "[" * 8_000, "\xff", '{"key":'):
            assert served.ask("POST", path, text.encode("latin-1"), OWN).status == 400
        assert served.ask("POST", path, b"x" * 17 * 1024, OWN).status == 413
    assert count(review) == 0


def test_a_revoked_link_and_a_new_owners_link(review, serving):
    with serving(review) as served:
        store = review.store()
        set_state(store, 1, "revoked")
        fresh = f"/o/{owner_token(store, new=True)}"
        store.close()
        assert served.get(served.workers[0]).status == 404
        assert served.get(served.owner).status == 404
        assert served.get(fresh).status == 200


def test_workers_see_no_page_of_the_owner_or_of_experts(review, serving):
    with serving(review) as served:
        token = served.workers[0].rpartition("/")[2]
        for path in (f"/o/{token}", f"/o/{token}/numbers", f"/o/{token}/table/votes.csv",
                     f"/w/{token}/relabel", f"/w/{token}/relabel/image/0"):  # fmt: skip
            assert served.get(path).status == 404, path
        for action in ("links", "block", "unblock", "finish"):
            assert served.form(f"/o/{token}/{action}", "rater=1").status == 404


def test_addresses_and_ids_of_people_are_not_kept(make_review, serving):
    review = make_review(budget=60)
    with serving(review, workers=0) as served:
        store = review.store()
        join = f"/join/{campaign_token(store)}"
        store.close()
        first = served.get(f"{join}?PROLIFIC_PID=worker-5f3a&STUDY_ID=s&SESSION_ID=t")
        again = served.get(f"{join}?PROLIFIC_PID=worker-5f3a&STUDY_ID=s&SESSION_ID=u")
        assert first.status == 303
        assert first.headers["Location"] == again.headers["Location"], "who comes back is known"
        assert served.get(first.headers["Location"]).status == 200
        assert served.get(join).status == 400
        evil = f"{join}?workerId=a&assignmentId=b&turkSubmitTo=https://evil.example"
        assert served.get(evil).status == 400
        preview = served.get(f"{join}?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")
        assert b"Accept the task to start" in preview.body
    for path in review.folder.glob("votes.sqlite*"):
        found = path.read_bytes()
        assert b"worker-5f3a" not in found and b"127.0.0.1" not in found


def test_a_full_disk_is_said_and_the_answer_is_not_acknowledged(review, monkeypatch, serving):
    from adc_plugins_review.web import worker_pages

    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    with serving(review) as served:
        n = served.deal()["items"][0]["n"]
        with monkeypatch.context() as patch:
            patch.setattr(worker_pages, "vote", full)
            answer = served.post(f"{served.workers[0]}/vote", {"n": n, "answer": "yes"})
        assert answer.status == 503
        assert served.post(f"{served.workers[0]}/vote", {"n": n, "answer": "yes"}).status == 200
    assert count(review) == 1


def test_thousands_of_odd_requests_crash_nothing_and_leave_no_vote(review, serving, monkeypatch):
    monkeypatch.setattr(Buckets, "take", lambda *_: True)  # every request is to get through
    drawn = random.Random(0)
    problems = []
    with serving(review, workers=1) as served:
        link, owner = served.workers[0], served.owner
        pieces = [link, owner, "/static", "/join", "/w", "..", "%2e%2e", "%00", "vote", "select",
                  "batch", "submit", "image", "1000", "relabel", "numbers", "table", "votes.csv",
                  "?n=", "?g=-1", "?class=9&row=5", "x" * 3000]  # fmt: skip
        bodies = [b"", b"{}", b"null", b"n=1&answer=yes", b"\xff\xfe", b"batch=1&batch=2",
                  b'{"task": "vote", "x": 1}', b'{"key": 1e999}', b"a=%ZZ", b"[1"]  # fmt: skip
        kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data",
                 "text/plain", "application/json; charset=nonsense", ""]  # fmt: skip

        def some(number, seed):
            own = random.Random(seed)
            for _ in range(number):
                path = "/" + "/".join(own.choice(pieces) for _ in range(own.randint(0, 4)))
                path = path.replace("//", "/") if own.random() < 0.9 else path
                method = own.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "BREW"])
                headers = {"Content-Type": own.choice(kinds)}
                if own.random() < 0.5:
                    headers |= {"X-ADC-Review": "1", "Origin": served.url}
                try:
                    answer = served.ask(method, path, own.choice(bodies), headers)
                except Exception as error:
                    problems.append((method, path, repr(error)))
                    continue
                if answer.status >= 500 or b"Traceback" in answer.body:
                    problems.append((method, path, answer.status, answer.body[:200]))

        threads = [threading.Thread(target=some, args=(600, drawn.random())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems[:5]
        assert served.get(link).status == 200
    assert count(review) == 0


def test_scripts_and_templates_write_no_html_of_their_own():
    from importlib import resources

    root = resources.files("adc_plugins_review.web")
    for name in ("static", "templates"):
        for path in root.joinpath(name).iterdir():
            text = path.read_text() if path.is_file() else ""
            for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", "document.write",
                         "style=", "onclick", "onload=", "| safe", "|safe", "http://", "https://",
                         ):  # fmt: skip
                found = word in text and not (word == "http://" and path.name == "icon.svg")
                assert not found, f"{path.name}: {word}"
