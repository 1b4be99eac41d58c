"""The pages in a real browser: by keyboard, mouse and touch, without scripts, and offline."""

import http.server
import json
import threading
import time

import pytest
from playwright.sync_api import expect

from adc_core.testing.toys import toy_dataset
from adc_plugins_review.campaign.export import counted_votes, events

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def open_page(browser):
    """Open a page of a server; whatever the browser complains of fails the test."""
    complaints, contexts = [], []

    def open_it(served, path, context=None, **options):
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        page = context.new_page()
        # Not of the network, which some tests and the end of the server switch off.
        page.on(
            "console",
            lambda one: (
                one.type == "error" and "net::ERR" not in one.text and complaints.append(one.text)
            ),
        )
        page.on("pageerror", lambda one: complaints.append(str(one)))
        page.on("dialog", lambda one: complaints.append(f"dialog: {one.message}"))
        page.on(
            "request",
            lambda one: one.url.startswith(served.url) or complaints.append(one.url),
        )
        page.goto(served.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def review(make_review):
    return make_review(budget=46, repair=0)


def answers(review, count=0):
    """What was answered, once so many answers have arrived."""
    for _ in range(200):
        store = review.store()
        found = counted_votes(store)["answer"].to_pylist()
        store.close()
        if len(found) >= count:
            break
        time.sleep(0.05)
    return found


def test_twenty_by_keyboard_alone_and_on_to_the_next_task(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, served.workers[0])
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Task 1 / 20")).to_be_visible()
        for number, key in enumerate(["1", "y", "a", "2", "u", " ", "3", "n", "x", "Y"] * 2):
            expect(page.get_by_text(f"Task {number + 1} / 20")).to_be_visible()
            page.keyboard.press("Space" if key == " " else key)
        expect(page.get_by_role("heading", name="All 20 answered")).to_be_visible()
        expect(page.get_by_role("button", name="Next task")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Task 1 / 20")).to_be_visible()
        found = answers(review, 20)
    assert [found.count(word) for word in ("yes", "unsure", "no")] == [8, 6, 6]


def test_by_mouse_with_a_look_back(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote")
        for word in ("Yes", "No", "Unsure"):
            page.get_by_role("button", name=word).click()
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_role("button", name="Unsure")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="No", exact=True).click()
        expect(page.get_by_text("Task 4 / 20")).to_be_visible()
        expect(page.locator("#waiting")).to_be_hidden()
        page.get_by_role("button", name="Yes").click()
        assert sorted(answers(review, 4)) == ["no", "no", "yes", "yes"]
        store = review.store()
        assert events(store)["answer"].to_pylist() == ["yes", "no", "unsure", "no", "yes"]
        store.close()


def test_by_touch_on_a_phone_everything_is_in_reach(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote", **PHONE)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, "nothing to scroll sideways"
        assert page.evaluate("document.documentElement.scrollHeight") <= 844
        image, frame = (page.locator(one).bounding_box() for one in ("#image", ".shown"))
        assert image["height"] <= frame["height"] and image["width"] <= frame["width"], "not cut"
        for word in ("Yes", "Unsure", "No"):
            box = page.get_by_role("button", name=word, exact=True).bounding_box()
            assert box["width"] >= 44 and box["height"] >= 44
            assert box["y"] > 844 / 2 and box["y"] + box["height"] <= 844
        for _ in range(20):
            page.get_by_role("button", name="Yes").tap()
        expect(page.get_by_role("heading", name="All 20 answered")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert answers(review, 20) == ["yes"] * 20


def test_without_scripts(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, served.workers[0], java_script_enabled=False)
        page.get_by_role("link", name="Start").click()
        for word in ("Yes", "Unsure"):
            page.get_by_role("button", name=word).click()
        expect(page.get_by_text("Task 3 / 20")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        page.get_by_role("button", name="No", exact=True).click()
        for number in range(3, 21):
            expect(page.get_by_text(f"Task {number} / 20")).to_be_visible()
            page.get_by_role("button", name="Yes").click()
        page.get_by_role("button", name="Next task").click()
        expect(page.get_by_text("You have given 20")).to_be_visible()
        found = answers(review, 20)
    assert [found.count(word) for word in ("yes", "unsure", "no")] == [19, 0, 1]


def test_loading_again_goes_on_where_it_was(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote")
        for _ in range(7):
            page.keyboard.press("1")
        assert len(answers(review, 7)) == 7
        page.reload()
        expect(page.get_by_text("Task 8 / 20")).to_be_visible()


def test_offline_answers_wait_and_arrive_once(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote")
        page.keyboard.press("1")
        assert answers(review, 1) == ["yes"]
        page.context.set_offline(True)
        for key in ("3", "3", "2"):
            page.keyboard.press(key)
        expect(page.locator("#waiting")).to_contain_text("answers wait for the connection")
        assert len(answers(review)) == 1
        page.context.set_offline(False)
        expect(page.locator("#waiting")).to_be_hidden()
        assert sorted(answers(review, 4)) == ["no", "no", "unsure", "yes"]
        store = review.store()
        assert len(events(store)) == 4
        store.close()


def test_answers_that_wait_survive_that_the_page_is_closed(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote")
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        page.keyboard.press("3")
        expect(page.locator("#waiting")).to_contain_text("1 answer waits")
        kept = page.evaluate("JSON.stringify(localStorage)")
        assert served.workers[0].rpartition("/")[2] not in kept.split('"path')[0]
        context = page.context
        page.close()
        context.set_offline(False)
        again = open_page(served, f"{served.workers[0]}/vote", context)
        expect(again.get_by_text("Task 2 / 20")).to_be_visible()
        again.wait_for_load_state("networkidle")
        assert answers(review, 1) == ["no"]


def test_of_two_tabs_the_newer_one_works(review, serving, open_page):
    with serving(review) as served:
        older = open_page(served, f"{served.workers[0]}/vote")
        newer = open_page(served, f"{served.workers[0]}/vote", older.context)
        expect(older.locator("#waiting")).to_contain_text("another tab")
        older.keyboard.press("1")
        newer.keyboard.press("3")
        newer.wait_for_load_state("networkidle")
        assert answers(review, 1) == ["no"]


def test_help_zoom_and_keys_that_can_be_switched_off(review, serving, open_page):
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote")
        page.keyboard.press("z")
        expect(page.get_by_role("button", name="Zoom")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("?")
        page.get_by_role("checkbox", name="Keys without").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("1")
        expect(page.get_by_text("Task 1 / 20")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert not answers(review)


def test_picking_images_by_keyboard_and_mouse(make_review, serving, open_page):
    review = make_review(tasks=("select",), select_per_task=10, select_tasks=2)
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/select")
        following = page.get_by_role("button", name="Next task")
        boxes = page.get_by_role("checkbox", name="to be judged")
        expect(boxes).to_have_count(10)
        expect(following).to_be_disabled()
        boxes.nth(0).focus()
        for key in ("Space", "ArrowRight", "Enter", "ArrowDown", "Space"):
            page.keyboard.press(key)
        expect(page.get_by_text("3 of at least 4")).to_be_visible()
        expect(following).to_be_disabled()
        page.locator("ul.grid li").nth(3).click()
        expect(following).to_be_enabled()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Task 2 / 2")).to_be_visible()
        page.get_by_role("checkbox", name="Fewer than 4 fit").check()
        following.click()
        page.get_by_role("link", name="Look again").click()
        page.get_by_role("link", name="Previous task").click()
        expect(page.locator("ul.grid input:checked")).to_have_count(4)
        page.locator("ul.grid li").nth(4).click()
        following.click()
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        assert answers(review, 5) == ["yes"] * 5


def test_names_that_are_attacks_are_shown_as_they_are(make_review, serving, open_page):
    classes = ("<script>alert(1)", '"><img src=x onerror=alert(2)>', "{{7*7}}<!--\u2028")
    attributes = {"<b>color": ["</script><i>navy"] * 150}
    review = make_review(
        {"classes": classes, "attributes": attributes}, budget=46, show_attributes=True,
        tasks=("vote", "select"), select_per_task=10,
    )  # fmt: skip
    with serving(review) as served:
        page = open_page(served, f"{served.workers[0]}/vote")
        seen = set()
        for _ in range(20):  # or fewer: each is shown among the first
            if len(seen) == len(classes):
                break
            seen.add(page.locator("#question strong").text_content())
            expect(page.locator("#attributes")).to_have_text("<b>color: </script><i>navy")
            page.keyboard.press("1")
        assert {one.strip() for one in seen} == {one.strip() for one in classes}
        for path in (f"{served.workers[0]}/select", served.owner, f"{served.owner}/relabel"):
            open_page(served, path)


def test_an_expert_relabels_by_keyboard_and_takes_it_back(make_review, serving, open_page):
    review = make_review(budget=46)
    with serving(review) as served:
        page = open_page(served, f"{served.owner}/relabel")

        def ready():  # a key that is pressed while the page loads is lost, here as for people
            expect(page.locator("body.scripted")).to_be_visible()

        first = page.get_by_role("heading", level=2).text_content()
        page.keyboard.press("1")
        expect(page.get_by_role("heading", level=2)).not_to_have_text(first)
        ready()
        page.keyboard.press("u")
        expect(page.get_by_role("heading", level=2)).to_have_text(first)
        expect(page.get_by_text("Decided: relabel")).to_be_visible()
        ready()
        page.keyboard.press("u")
        expect(page.get_by_text("Decided:")).to_have_count(0)
        assert not answers(review)
        ready()
        page.keyboard.press("d")
        expect(page.get_by_role("heading", level=2)).not_to_have_text(first)
        assert answers(review, 1) == ["no"]


def test_fifty_thousand_classes_are_searched(make_review, serving, open_page):
    classes = tuple(f"class {number:05}" for number in range(50_000))
    labels = toy_dataset().labels
    review = make_review({"classes": classes, "labels": labels, "probabilities": None}, budget=46)
    with serving(review) as served:
        page = open_page(served, f"{served.owner}/relabel")
        page.keyboard.press("/")
        page.keyboard.type("49999")
        expect(page.get_by_role("button", name="class 49999")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 decided")).to_be_visible()
        store = review.store()
        assert counted_votes(store)["label"].to_pylist() == ["class 49999"]
        store.close()
        found = served.get(f"{served.owner}/relabel/classes?q=class").json()
        assert len(found) == 50


def test_the_owner_sees_blocks_and_makes_links(make_review, serving, open_page):
    review = make_review(budget=46)
    with serving(review) as served:
        link = served.workers[0]
        batch = served.deal()
        for item in batch["items"]:
            served.post(f"{link}/vote", {"n": item["n"], "answer": "yes", "ms": 800})
        page = open_page(served, served.owner)
        expect(page.get_by_text("20 / 40")).to_be_visible()
        page.get_by_role("button", name="Block r01").click()
        expect(page.get_by_text("0 / 40")).to_be_visible()
        page.get_by_role("button", name="Let r01 in").click()
        expect(page.get_by_text("20 / 40")).to_be_visible()
        page.get_by_role("textbox", name="Name").fill("Ana <b>")
        page.get_by_role("checkbox", name="an expert").check()
        page.get_by_role("button", name="New link").click()
        expect(page.get_by_text("Ana <b> (expert)")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="votes.csv").click()
        assert download.value.path().read_text().count("\n") == 21
        page.get_by_role("button", name="Finish").click()
        assert served.post(f"{served.workers[1]}/batch", {"task": "vote"}).status == 410


@pytest.fixture
def other_site():
    """A site at another origin whose page shows a frame, sends a form and fetches."""
    page = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.get(self.path, "").encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}", page
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_of_another_site_can_neither_send_nor_frame(review, serving, browser, other_site):
    origin, site = other_site
    with serving(review) as served:
        target, n = f"{served.url}{served.workers[0]}/vote", served.deal()["items"][0]["n"]
        site["/form"] = (
            f"<form method=post action={target}><input name=key value=0123456789>"
            f"<input name=n value={n}><input name=answer value=no></form>"
            "<script>document.forms[0].submit()</script>"
        )
        body = json.dumps({"key": "0123456789", "n": n, "answer": "no"})
        site["/fetch"] = (
            f"<script>for (const mode of ['cors', 'no-cors']) fetch('{target}', {{method: 'POST',"
            f"mode, body: '{body}', headers: {{'Content-Type': 'text/plain'}}}})</script>"
        )
        site["/frame"] = f"<iframe src={target} width=900 height=700></iframe>"
        context = browser.new_context()
        page = context.new_page()
        for path in ("/form", "/fetch", "/frame"):
            page.goto(origin + path)
            page.wait_for_load_state("networkidle")
        assert page.frame_locator("iframe").get_by_role("button", name="Yes").count() == 0
        assert not answers(review)
        context.close()


def test_in_a_frame_of_a_site_that_was_named_people_vote(review, serving, browser, other_site):
    origin, site = other_site
    with serving(review, embed=(origin,)) as served:
        site["/frame"] = (
            f"<iframe src={served.url}{served.workers[0]}/vote width=900 height=700></iframe>"
        )
        context = browser.new_context()
        page = context.new_page()
        page.goto(origin + "/frame")
        frame = page.frame_locator("iframe")
        frame.get_by_role("button", name="Yes").click()
        expect(frame.get_by_text("Task 2 / 20")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert answers(review, 1) == ["yes"]
        context.close()
