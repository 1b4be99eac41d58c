// Relabelling by keyboard, and a search through as many classes as there are.

import { newKey } from "./outbox.js";

document.body.classList.add("scripted");
const search = document.getElementById("search");
const matches = document.getElementById("matches");
const other = document.getElementById("other");
let asked = 0;

async function find() {
  const mine = (asked += 1);
  const text = search.value.trim();
  if (!text) {
    matches.replaceChildren();
    return;
  }
  const answer = await fetch(`${other.dataset.search}?q=${encodeURIComponent(text)}`).catch(() => null);
  if (!answer || !answer.ok || mine !== asked) return;
  matches.replaceChildren(
    ...(await answer.json()).map(({ label, name }) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      button.name = "label";
      button.value = String(label);
      button.textContent = name;
      line.append(button);
      return line;
    }),
  );
}

if (search) {
  search.addEventListener("input", find);
  // Enter takes the first match, and no decision without one.
  other.addEventListener("submit", (event) => {
    if (event.submitter?.name === "label") return;
    event.preventDefault();
    matches.querySelector("button")?.click();
  });
}

// A page that the browser brings back has keys that were used: each decision gets its own.
for (const key of document.querySelectorAll("form [name=key]")) key.value = newKey();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key === "Enter" && !event.target.closest("a, button") ? "1" : event.key.toUpperCase();
  const wanted = key === "J" && event.shiftKey ? "P" : key;
  const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === wanted);
  if (!found) return;
  event.preventDefault();
  if (found === search) search.focus();
  else found.click();
});
