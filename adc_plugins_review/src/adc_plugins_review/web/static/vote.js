// The page for votes: the next image at once, answers sent behind it, everything by keyboard.

import { Clock, Outbox, newKey, send } from "./outbox.js";

const { base, batch: dealt } = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const KEYS = {
  1: "yes", y: "yes", a: "yes", 2: "unsure", u: "unsure", " ": "unsure", 3: "no", n: "no", x: "no",
};

let { batch, items, answered } = dealt;
let index = 0;
let shortcuts = true;
let stopped = false;
const clock = new Clock();
const outbox = new Outbox(base, (waiting, problem) => {
  const text = waiting
    ? `${waiting === 1 ? "1 answer waits" : `${waiting} answers wait`} for the connection`
    : problem;
  at("waiting").textContent = text;
  at("waiting").hidden = !text;
});

// What was answered before the page was loaded again, and has not been sent yet.
for (const { body } of outbox.queue) {
  if (items.some((item) => item.n === body.n)) answered[body.n] = body.answer;
}

function say(text) {
  at("said").textContent = text;
}

function source(item) {
  return `${item.image}?s=1024`;
}

function show(place) {
  index = place;
  const end = place >= items.length;
  at("one").hidden = end;
  at("end").hidden = !end;
  at("progress").max = items.length;
  at("progress").value = Object.keys(answered).length;
  at("count").textContent = `Task ${Math.min(place + 1, items.length)} / ${items.length}`;
  zoom(false);
  if (end) {
    at("end-title").textContent = `All ${items.length} answered`;
    say(`All ${items.length} answered.`);
    at("next").focus();
    return;
  }
  const item = items[place];
  const [before, label, after] = item.question;
  const strong = document.createElement("strong");
  strong.textContent = label;
  at("question").replaceChildren(before, strong, after);
  at("attributes").replaceChildren(
    ...Object.entries(item.attributes).map(([name, value]) => {
      const line = document.createElement("li");
      line.textContent = `${name}: ${value}`;
      return line;
    }),
  );
  const image = at("image");
  if (image.getAttribute("src") !== source(item)) image.src = source(item);
  image.alt = `Image ${place + 1} of ${items.length}, to be judged: is it ${label}?`;
  at("back").hidden = place === 0;
  for (const button of document.querySelectorAll(".answer")) {
    button.setAttribute("aria-pressed", String(button.value === answered[item.n]));
  }
  for (const next of items.slice(place + 1, place + 4)) new Image().src = source(next);
}

function firstOpen(from) {
  const open = (item) => !(item.n in answered);
  const later = items.findIndex((item, place) => place >= from && open(item));
  if (later >= 0) return later;
  const any = items.findIndex(open);
  return any >= 0 ? any : items.length;
}

function answer(word) {
  if (stopped || index >= items.length) return;
  const item = items[index];
  const again = item.n in answered;
  answered[item.n] = word;
  const body = { key: newKey(), n: item.n, answer: word, ms: clock.take() };
  if (at("confidence")) body.confidence = Number(at("confidence").value);
  outbox.add("/vote", body);
  // After a change go on to the image that was next, not to the first one without an answer.
  show(again ? index + 1 : firstOpen(index + 1));
  if (index < items.length) say(`Saved. Image ${index + 1} of ${items.length}.`);
}

function back() {
  if (index > 0) show(index - 1);
}

function zoom(on) {
  at("one").classList.toggle("zoomed", on);
  at("zoom").setAttribute("aria-pressed", String(on));
}

async function nextTask() {
  at("next").disabled = true;
  await outbox.drained();
  for (;;) {
    try {
      const closed = await send(`${base}/submit`, { batch });
      if (closed.status < 500 && closed.status !== 429) break;
    } catch {
      at("waiting").textContent = "waiting for the connection";
      at("waiting").hidden = false;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  const { status, content } = await send(`${base}/batch`, { task: "vote" }).catch(() => ({}));
  if (status !== 200 || !content.batch) {
    location.assign(base);
    return;
  }
  ({ batch, items, answered } = content);
  at("next").disabled = false;
  at("waiting").hidden = true;
  document.querySelector("#submit [name=batch]").value = batch;
  clock.take();
  show(firstOpen(0));
  at("main").focus();
}

at("answers").addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter) answer(event.submitter.value);
});
at("submit").addEventListener("submit", (event) => {
  event.preventDefault();
  nextTask();
});
for (const id of ["back", "end-back"]) {
  at(id).addEventListener("click", (event) => {
    event.preventDefault();
    back();
  });
}
at("zoom").addEventListener("click", () => zoom(!at("one").classList.contains("zoomed")));
at("image").addEventListener("click", () => zoom(!at("one").classList.contains("zoomed")));
at("image").addEventListener("error", () => say("The image could not be loaded."));
addEventListener("online", () => {
  if (index < items.length) at("image").src = source(items[index]);
});
at("help").addEventListener("click", () => at("helping").showModal());
at("shortcuts").addEventListener("change", (event) => {
  shortcuts = event.target.checked;
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("helping").open || !shortcuts) return;
  const typing = event.target.closest("input, textarea, select");
  // Space and Enter press the button that has the focus.
  const pressing = event.target.closest("button, a") && [" ", "Enter"].includes(event.key);
  if (typing || pressing || event.repeat) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key in KEYS && index < items.length) answer(KEYS[key]);
  else if (key === "ArrowLeft" || key === "Backspace") back();
  else if (key === "z") zoom(!at("one").classList.contains("zoomed"));
  else if (key === "?") at("helping").showModal();
  else return;
  event.preventDefault();
});

// Of two tabs with one link the newer one works on.
if ("BroadcastChannel" in globalThis) {
  const tabs = new BroadcastChannel(outbox.name);
  tabs.onmessage = () => {
    stopped = true;
    at("waiting").textContent = "You go on in another tab: close this one.";
    at("waiting").hidden = false;
  };
  tabs.postMessage("here");
}

document.body.classList.add("scripted");
show(new URLSearchParams(location.search).has("n")
  ? Math.max(0, items.findIndex((item) => String(item.n) === new URLSearchParams(location.search).get("n")))
  : firstOpen(0));
