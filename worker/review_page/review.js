// The review page's script: a key chooses, Enter confirms, and the next ticket is there at once.

const by = document.getElementById("by");
const said = document.getElementById("said");
const left = document.getElementById("left");
const NAME = "ackpool-reviewer";

by.value = localStorage.getItem(NAME) ?? "";
by.addEventListener("change", () => localStorage.setItem(NAME, by.value.trim()));

const tickets = () => [...document.querySelectorAll("article.ticket")];
const current = () => tickets().find((each) => !each.hidden);

function choose(ticket, label) {
  for (const button of ticket.querySelectorAll("[data-choose]")) {
    button.setAttribute("aria-pressed", String(button.dataset.choose === label));
  }
}

/** Shows the next one; a decided one goes. */
function next(ticket, decided) {
  const all = tickets();
  const following = all[all.indexOf(ticket) + 1] ?? all.find((each) => each !== ticket);
  if (decided) ticket.remove();
  else ticket.hidden = following !== undefined && following !== ticket;
  if (following !== undefined) following.hidden = false;
  const count = tickets().length;
  left.textContent = `${count} left on this page.`;
}

/** Who decides; empty where nobody says so, and then they are asked. */
function decider() {
  const name = by.value.trim();
  if (name === "") {
    said.textContent = "Say who decides first.";
    by.focus();
  }
  return name;
}

/** Says what became of it; resolves to the answer where it was done. */
async function ask(id, failed, query, init) {
  const path = `/tickets/${encodeURIComponent(id)}/label${query}`;
  const answer = await fetch(path, init).catch(() => undefined);
  if (answer?.ok) return await answer.json();
  const detail = answer === undefined ? "the worker cannot be reached" : (await answer.json()).detail;
  said.textContent = `${id} is not ${failed}: ${detail}`;
  said.className = "trouble";
}

async function confirm(ticket) {
  const name = decider();
  if (name === "") return;
  const category = ticket.querySelector("[data-choose][aria-pressed=true]").dataset.choose;
  const { ticket: id } = ticket.dataset;
  next(ticket, true);
  said.className = "";
  said.textContent = `${id}: ${category}`;
  const decided = await ask(id, "decided", "", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ category, by: name }),
  });
  // There may be more than the page holds.
  if (decided !== undefined && tickets().length === 0) location.reload();
}

async function undo(button) {
  const name = decider();
  if (name === "") return;
  const id = button.dataset.undo;
  const undone = await ask(id, "undone", `?by=${encodeURIComponent(name)}`, { method: "DELETE" });
  if (undone === undefined) return;
  const row = button.closest("tr");
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  // Who works with keys goes on from there.
  (neighbour?.querySelector("[data-undo]") ?? by).focus();
  row.remove();
  said.className = "";
  const label = undone.category === null
    ? "it has no label now"
    : `the model's label ${undone.category} counts again`;
  said.textContent = `${id} is undone: ${label}`;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.undo !== undefined) return undo(button);
  const ticket = target.closest("article.ticket");
  if (button === null || ticket === null) return;
  if (button.dataset.choose !== undefined) choose(ticket, button.dataset.choose);
  else if (button.dataset.confirm !== undefined) confirm(ticket);
  else next(ticket, false);
});

document.addEventListener("keydown", (event) => {
  const ticket = current();
  if (ticket === undefined || event.target === by || event.ctrlKey || event.metaKey || event.altKey) return;
  const label = ticket.querySelectorAll("[data-choose]")[Number(event.key) - 1];
  if (/^[1-9]$/.test(event.key) && label !== undefined) return choose(ticket, label.dataset.choose);
  if (event.key === "ArrowRight" && event.target.localName !== "pre") return next(ticket, false);
  // On a button Enter is the button's.
  if (event.key === "Enter" && event.target.closest("button, a") === null) confirm(ticket);
});
