// The page to pick images on: how many are picked, arrow keys, Ctrl+Enter, the time that it took.

import { Clock } from "./outbox.js";

const form = document.getElementById("grid");
const boxes = [...form.querySelectorAll("[name=chosen]")];
const least = Number(form.dataset.least);
const fewer = document.getElementById("fewer");
const next = document.getElementById("next");
const clock = new Clock();

function count() {
  const picked = boxes.filter((box) => box.checked).length;
  document.getElementById("picked").textContent = `${picked} of at least ${least}`;
  next.disabled = picked < least && !fewer.checked;
}

form.addEventListener("change", count);
form.addEventListener("submit", () => {
  document.getElementById("ms").value = String(clock.take());
});

function columns() {
  const top = boxes[0].closest("li").offsetTop;
  const second = boxes.findIndex((box) => box.closest("li").offsetTop > top);
  return second < 0 ? boxes.length : second;
}

form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!next.disabled) form.requestSubmit(next);
    return;
  }
  const place = boxes.indexOf(event.target);
  if (place < 0) return;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
  if (event.key in steps) {
    event.preventDefault();
    boxes[place + steps[event.key]]?.focus();
  } else if (event.key === "Enter") {
    event.preventDefault();
    boxes[place].click();
  }
});

count();
