// The page's script: renews what is live, says when no news come, draws the chart, carries actions out.

import { act, showLetters } from "./actions.js";

// A package, served under this name: the type check of the server looks for no file of it.
const { Idiomorph } = await import(new URL("idiomorph.js", import.meta.url).href);

/** The server sends something each second; without it for so long it is called silent, in ms. */
const SILENT_MS = 4000;

const live = document.getElementById("live");
const stale = document.getElementById("stale");
let heardMs = performance.now();
let held = false;

function hear() {
  heardMs = performance.now();
  if (stale.hidden) return;
  stale.hidden = true;
  delete document.body.dataset.stale;
}

/** What is shown may be wrong by now, and must not look as if nothing happened. */
function watchSilence() {
  const silentMs = performance.now() - heardMs;
  if (silentMs < SILENT_MS) return;
  document.body.dataset.stale = "true";
  stale.textContent = `No news from the consumer for ${Math.round(silentMs / 1000)} s. ` +
    "What is below is old: the consumer may have ended, or cannot be reached.";
  stale.hidden = false;
}

function follow() {
  const events = new EventSource(live.dataset.live);
  events.addEventListener("screen", ({ data }) => {
    hear();
    if (!held) Idiomorph.morph(live, data, { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks });
  });
  events.addEventListener("same", hear);
  // A browser gives up where the answer is not a stream: the session is over, or the consumer is another one.
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  });
}

/** What a person has opened stays open. */
const callbacks = {
  beforeAttributeUpdated: (name, node) => !(node.localName === "details" && name === "open"),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button === null) return;
  if (button.dataset.action !== "hold") return act(button);
  held = !held;
  button.setAttribute("aria-pressed", String(held));
  button.textContent = held ? "Go on" : "Hold still";
});

if (live !== null) {
  follow();
  setInterval(watchSilence, 500);
}
const chart = document.querySelector("[data-chart]");
if (chart !== null) {
  const { drawHour } = await import("./chart.js");
  drawHour(chart, document.querySelector("[data-chart-empty]"));
}
const letters = document.querySelector("[data-letters]");
if (letters !== null) showLetters(letters);
