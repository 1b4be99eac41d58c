// Decisions by keyboard: what has a data-key is pressed, or marked, or gets the focus.

import { newKey } from "./outbox.js";

document.body.classList.add("scripted");

// A page that the browser brings back has keys that were used: each decision gets its own.
for (const key of document.querySelectorAll("form [name=key]")) key.value = newKey();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=radio]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.closest("a, button")) return;
  const key = event.key.length > 1 ? event.key : event.key.toUpperCase();
  const wanted = key === "J" && event.shiftKey ? "P" : key;
  const found = [...document.querySelectorAll("[data-key]")].find((one) =>
    one.dataset.key.split(" ").includes(wanted),
  );
  if (!found) return;
  event.preventDefault();
  if (found.type === "search") found.focus();
  else found.click();
  if (found.type === "radio") found.focus();
});
