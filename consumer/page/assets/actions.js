// What a person does on the page: looks at dead letters, replays and drops them, takes a record out. Plans come first.

const dialog = () =>
  document.getElementById("dialog") ?? document.body.appendChild(made("dialog", { id: "dialog" }));

/** An element; text is set as text, whatever it holds. */
function made(name, fields = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(fields)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Asks the consumer; a refusal becomes an error with its detail. */
async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  if (!answer.ok) throw new Error(json.detail ?? `The consumer answered ${answer.status}`);
  return json;
}

const asText = (ms) => ms === "" ? "-" : ms.replace("T", " ").replace(/\.\d+Z$/, " UTC");

const ACTIONS = { take, pause: hold, resume: hold, rate: limit, pool: limit };

/** A button's action. */
export function act(button) {
  ACTIONS[button.dataset.action]?.(button.dataset);
}

/** The name that goes into the log; the browser remembers it. */
function nameField() {
  const input = made("input", { id: "by", maxlength: "64", autocomplete: "name" });
  input.value = localStorage.getItem("ackpool-operator") ?? "";
  return [made("p", {}, made("label", { for: "by" }, "Your name, for the log "), input), () => {
    const by = input.value.trim();
    localStorage.setItem("ackpool-operator", by);
    return by === "" ? {} : { by };
  }];
}

/** Pauses or resumes everything, a topic or one partition. */
function hold({ action, hold }) {
  const [, topic, partition] = /^(.*?)(?:\/(\d+))?$/.exec(hold);
  const what = hold === "" ? "everything" : hold;
  const [field, name] = nameField();
  const pauses = action === "pause";
  confirmed({
    title: `${pauses ? "Pause" : "Resume"} ${what}?`,
    says: [
      pauses
        ? "Nothing new of it is sent by any consumer of the group until somebody resumes it. What is in flight finishes."
        : "The whole group sends it again.",
    ],
    fields: [field],
    button: `${pauses ? "Pause" : "Resume"} ${what}`,
    go: async () => {
      const body = {
        ...(topic === "" ? {} : { topic }),
        ...(partition === undefined ? {} : { partition: Number(partition) }),
      };
      await ask(`/flow/${action}`, "POST", { ...body, ...name() });
      return `${what} is ${pauses ? "paused" : "resumed"}.`;
    },
  });
}

/** Limits the group's records a second, or its permits. */
function limit({ action }) {
  const isRate = action === "rate";
  const [field, name] = nameField();
  const input = made("input", {
    id: "limit",
    type: "number",
    min: isRate ? "0.01" : "1",
    step: isRate ? "any" : "1",
  });
  confirmed({
    title: isRate ? "Limit records a second" : "Limit permits",
    says: [
      "It holds for the whole group; each consumer has its share by its partitions. Empty: no limit of yours.",
    ],
    fields: [
      made("p", {}, made("label", { for: "limit" }, isRate ? "Records a second " : "Permits "), input),
      field,
    ],
    button: "Set",
    go: async () => {
      const value = input.value === "" ? null : Number(input.value);
      await ask(`/flow/${action}`, "POST", { [isRate ? "recordsPerSecond" : "permits"]: value, ...name() });
      return value === null ? "There is no limit of yours." : `The limit is ${value}.`;
    },
  });
}

function take({ at }) {
  confirmed({
    title: `Make ${at} a dead letter?`,
    says: ["Its attempts end, and the records behind it go on. It can be replayed later."],
    button: "Make it a dead letter",
    go: async () => {
      const taken = await ask(`/records/${at}/dead-letter`, "POST", {});
      return `It is ${taken.result.replaceAll("-", " ")}.${taken.why === undefined ? "" : ` ${taken.why}`}`;
    },
  });
}

/** A dialog that does something once, and says what came of it. `typed` has to be typed in first. */
function confirmed({ title, says, fields = [], button, grave = false, typed, go }) {
  const box = dialog();
  const result = made("p", { role: "status" });
  const input = typed === undefined ? undefined : made("input", { id: "typed", autocomplete: "off" });
  const close = made("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Close");
  const start = made("button", {
    type: "button",
    class: grave ? "grave" : "",
    onclick: async () => {
      start.disabled = true;
      result.className = "";
      result.textContent = "It is done …";
      try {
        result.textContent = await go() ?? "";
      } catch (error) {
        result.className = "trouble";
        result.textContent = error.message;
        start.disabled = false;
      }
    },
  }, button);
  if (input !== undefined) {
    start.disabled = true;
    input.addEventListener("input", () => start.disabled = input.value !== typed);
    fields.push(made("p", {}, made("label", { for: "typed" }, `Type ${typed} to go on `), input));
  }
  box.replaceChildren(
    made("h2", { id: "dialog-title" }, title),
    ...says.map((each) => made("p", {}, each)),
    ...fields,
    made("div", { class: "buttons" }, start, close),
    result,
  );
  box.setAttribute("aria-labelledby", "dialog-title");
  if (!box.open) box.showModal();
}

/** The address's filter as the routes take it in a body. */
function filterOfAddress() {
  const filter = {};
  for (const [name, value] of new URLSearchParams(location.search)) {
    const text = value.trim();
    if (text === "") continue;
    if (name === "status") filter.statuses = text.split(",").map((each) => each.trim());
    else if (name === "since" || name === "until") filter[name] = asIso(text);
    else if (["cause", "key", "grep"].includes(name)) filter[name] = text;
  }
  return filter;
}

/** A day without a time begins in UTC. */
const asIso = (text) => Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString();

function listAddress() {
  const { statuses, ...filter } = filterOfAddress();
  const query = new URLSearchParams({
    ...filter,
    ...(statuses === undefined ? {} : { status: statuses.join() }),
  });
  return `/dead-letters?${query}`;
}

/** Fills the list, and follows the replay that may run. */
export async function showLetters(place) {
  followReplay();
  try {
    const list = await ask(listAddress());
    place.replaceChildren(...drawn(list, place));
  } catch (error) {
    place.replaceChildren(made("p", { class: "trouble", role: "alert" }, error.message));
  }
  place.setAttribute("aria-busy", "false");
}

function drawn(list, place) {
  const filter = filterOfAddress();
  const filtered = Object.keys(filter).length > 0;
  if (list.meant === 0) {
    return [
      made(
        "p",
        { class: "note" },
        filtered ? "No open dead letter is like that." : "There is no open dead letter.",
      ),
    ];
  }
  const what = filtered ? `All ${list.meant} that the filter matches` : `All ${list.meant} open ones`;
  const whole = filtered ? { filter } : { filter: {}, everything: true };
  return [
    made("p", {}, `${what}, of ${list.total} there are. `, ...buttonsFor(whole, list.meant, place)),
    table(
      ["Cause", "Count", "First seen", "Last seen", "Example", "What to do"],
      list.causes.map((cause) => [
        made("a", { href: `/page/dead-letters?cause=${encodeURIComponent(cause.cause)}` }, cause.cause),
        String(cause.count),
        asText(cause.oldest),
        asText(cause.newest),
        letterButton(cause.example),
        made(
          "div",
          { class: "buttons" },
          ...buttonsFor({ filter: { ...filter, cause: cause.cause } }, cause.count, place),
        ),
      ]),
    ),
    made("h2", {}, `The newest ${list.dead_letters.length}`),
    table(
      ["Dead letter", "Record", "Status", "Attempts", "When"],
      list.dead_letters.map((letter) => [
        letterButton(letter.at),
        letter.origin?.at ?? "-",
        letter.status,
        String(letter.attempts),
        asText(letter.dead_lettered_at),
      ]),
    ),
  ];
}

function table(titles, rows) {
  return made(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": titles[0] },
    made(
      "table",
      {},
      made("thead", {}, made("tr", {}, ...titles.map((title) => made("th", { scope: "col" }, title)))),
      made(
        "tbody",
        {},
        ...rows.map(([first, ...cells]) =>
          made(
            "tr",
            {},
            made("th", { scope: "row" }, first),
            ...cells.map((cell) => made("td", {}, cell)),
          )
        ),
      ),
    ),
  );
}

const letterButton = (at) =>
  made("button", { type: "button", class: "quiet", "data-letter": at, onclick: () => showOne(at) }, at);

function buttonsFor(which, count, place) {
  return [
    made("button", { type: "button", onclick: () => planReplay(which, place) }, `Replay ${count}`),
    " ",
    made("button", { type: "button", class: "grave", onclick: () => planDrop(which, place) }, "Drop"),
  ];
}

/** One letter in full. Its value is text or named as binary, and never anything that a browser would read. */
async function showOne(at) {
  const box = dialog();
  const close = made("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Close");
  try {
    const letter = await ask(`/dead-letters/${at}`);
    const { value, headers, ...rest } = letter;
    const which = { filter: { positions: [at] } };
    const place = document.querySelector("[data-letters]");
    box.replaceChildren(
      made("h2", { id: "dialog-title" }, at),
      table(
        ["What", "Value"],
        Object.entries(rest).map(([name, each]) => [name.replaceAll("_", " "), shown(each)]),
      ),
      made("h2", {}, "Value"),
      made("pre", { tabindex: "0" }, valueText(value)),
      made("h2", {}, "Headers"),
      made("pre", { tabindex: "0" }, JSON.stringify(headers, null, 2)),
      made(
        "div",
        { class: "buttons" },
        ...(letter.state === "open" ? buttonsFor(which, 1, place) : []),
        close,
      ),
    );
  } catch (error) {
    box.replaceChildren(
      made("h2", { id: "dialog-title" }, at),
      made("p", { class: "trouble", role: "alert" }, error.message),
      close,
    );
  }
  if (!box.open) box.showModal();
}

const shown = (value) =>
  value === null ? "-" : typeof value === "object" ? Object.values(value).join(", ") : String(value);

function valueText(value) {
  if (value === null) return "(a tombstone: no value)";
  if (!value.startsWith("base64:")) return value;
  const bytes = Math.floor(value.length * 3 / 4);
  return `(binary, about ${bytes} bytes, as base64)\n${value.slice(7)}`;
}

/** What would be sent where, then a rate and canaries, then the replay. */
async function planReplay(which, place) {
  let plan;
  try {
    plan = await ask("/dead-letters/replay", "POST", { ...which, dry_run: true });
  } catch (error) {
    return confirmed({
      title: "No plan",
      says: [error.message],
      button: "Again",
      go: () => planReplay(which, place),
    });
  }
  const number = (id, least, value) => made("input", { id, type: "number", min: least, value });
  const rate = number("rate", "1", "100");
  const canary = number("canary", "0", plan.meant > 20 ? "5" : "0");
  const left = [
    [plan.looping, "were replayed too often already"],
    [plan.blocked, "are parked behind others"],
    [plan.foreign, "do not say where they came from"],
    [plan.incomplete, "lie at their origin only"],
  ].filter(([count]) => count > 0).map(([count, why]) => `${count} ${why} and stay.`);
  confirmed({
    title: `Replay ${plan.meant} dead letters?`,
    says: [
      "They go to the retry topic, which this group alone reads; their records keep their order in time.",
      ...left,
    ],
    fields: [
      made("p", {}, made("label", { for: "rate" }, "Records a second "), rate),
      made("p", {}, made("label", { for: "canary" }, "Canaries that go first, and have to settle "), canary),
    ],
    button: `Replay ${plan.meant}`,
    go: async () => {
      await ask("/dead-letters/replay", "POST", {
        ...which,
        rate: Number(rate.value),
        canary: Number(canary.value),
      });
      dialog().close();
      followReplay(place);
    },
  });
}

async function planDrop(which, place) {
  let plan;
  try {
    plan = await ask("/dead-letters/drop", "POST", { ...which, dry_run: true });
  } catch (error) {
    return confirmed({
      title: "No plan",
      says: [error.message],
      button: "Again",
      go: () => planDrop(which, place),
    });
  }
  const count = plan.meant ?? plan.dropped;
  confirmed({
    title: `Drop ${count} dead letters?`,
    says: ["They count as done with and are never replayed. This cannot be taken back."],
    button: `Drop ${count}`,
    grave: true,
    typed: `drop ${count}`,
    go: async () => {
      const { dropped } = await ask("/dead-letters/drop", "POST", which);
      await showLetters(place);
      return `${dropped} are dropped.`;
    },
  });
}

const ENDS = {
  "done": "The replay is done",
  "interrupted": "The replay was stopped; what was sent stays sent",
  "canary-came-back": "A canary came back as a dead letter, so that the rest stayed",
  "canary-not-settled": "The canaries did not settle in time, so that the rest stayed",
};
let followed = false;

/** Shows how far the replay is; the list is read anew when it has ended. */
async function followReplay(place) {
  const box = document.getElementById("replay");
  if (box === null || followed) return;
  followed = true;
  try {
    let state = await ask("/dead-letters/replay");
    for (; state.state === "running"; state = await ask("/dead-letters/replay")) {
      drawProgress(box, state);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    if (place !== undefined && state.state !== "none") await showLetters(place);
    drawEnd(box, state);
  } catch (error) {
    box.replaceChildren(made("p", { class: "trouble" }, error.message));
  } finally {
    followed = false;
  }
}

function drawProgress(box, { phase, done, total }) {
  const stop = made("button", {
    type: "button",
    class: "grave",
    onclick: () => ask("/dead-letters/replay", "DELETE"),
  }, "Stop");
  box.replaceChildren(
    made("p", {}, `A replay runs: ${phase}, ${done} of ${total}. `, stop),
    made("progress", { max: String(Math.max(1, total)), value: String(done), "aria-label": "Replayed" }),
  );
}

function drawEnd(box, state) {
  if (state.state === "failed") {
    box.replaceChildren(made("p", { class: "trouble" }, `The replay failed: ${state.error}`));
  }
  if (state.state !== "ended") return;
  const { end, replayed, meant } = state.summary;
  box.replaceChildren(made("p", {}, `${ENDS[end] ?? end}: ${replayed} of ${meant} replayed.`));
}
