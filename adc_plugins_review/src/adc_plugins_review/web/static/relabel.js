// A search through as many classes as there are.

import "./keys.js";

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
