// The dashboard renews itself while nobody works in it; buttons copy links.

document.body.classList.add("scripted");

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  // Without a secure context there is no clipboard: the link is selected instead.
  const shown = button.parentElement.querySelector("code");
  if (navigator.clipboard) {
    navigator.clipboard.writeText(button.dataset.text).then(() => {
      button.textContent = "Copied";
    });
  } else {
    getSelection().selectAllChildren(shown);
  }
});

async function renew() {
  const main = document.getElementById("main");
  if (document.hidden || main.contains(document.activeElement) || main.querySelector("details[open]")) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  main.replaceWith(document.adoptNode(fresh.getElementById("main")));
}

setInterval(renew, 10000);
