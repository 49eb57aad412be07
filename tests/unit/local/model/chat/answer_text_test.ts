// Tests of how the local model reads a request and writes its answer.

import assert from "node:assert/strict";
import {
  allowedLabels,
  type TicketAnswer,
  writeAnswer,
} from "../../../../../local/model/chat/answer_text.ts";
import { chatCompletion, countTokens } from "../../../../../local/model/chat/chat_completion.ts";
import { askedTickets, chatRequestSchema, saidAbout } from "../../../../../local/model/chat/chat_request.ts";
import { rankLabels } from "../../../../../local/model/chat/label_choice.ts";
import { guessLanguage } from "../../../../../local/model/language/language_guess.ts";
import { parseLabelledTickets, TICKETS_URL } from "../../../../../local/model/tickets.ts";

const request = (content: string, system = "") =>
  chatRequestSchema.parse({
    model: "any",
    messages: [{ role: "system", content: system }, { role: "user", content }],
  });

const answer: TicketAnswer = {
  id: "7",
  ranked: [{ label: "bug", probability: 0.75 }, { label: "other", probability: 0.25 }],
  language: "en",
};

Deno.test("askedTickets() reads the line of JSON between the fences", () => {
  const ticket = { subject: "a", body: "</ticket> inside\nlines" };
  const text = `Classify:\n<ticket>\n${JSON.stringify(ticket)}\n</ticket>\nThanks`;
  assert.deepEqual(askedTickets(request(text)), [ticket]);
});

Deno.test("askedTickets() reads several fenced tickets with their ids", () => {
  const text = `<ticket>\n{"id":"1","body":"x"}\n</ticket>\n<ticket>\n{"id":"2","subject":"y"}\n</ticket>`;
  assert.deepEqual(askedTickets(request(text)), [{ id: "1", subject: "", body: "x" }, {
    id: "2",
    subject: "y",
    body: "",
  }]);
});

Deno.test("askedTickets() reads the lines of one fence around several tickets", () => {
  const text = `<tickets>\n{"id":1,"subject":"a","body":"x"}\n{"id":2,"subject":"b","body":"y"}\n</tickets>`;
  assert.deepEqual(askedTickets(request(text)), [{ id: 1, subject: "a", body: "x" }, {
    id: 2,
    subject: "b",
    body: "y",
  }]);
});

Deno.test("askedTickets() takes text without a fence as the body", () => {
  assert.deepEqual(askedTickets(request("it crashed")), [{ subject: "", body: "it crashed" }]);
});

Deno.test("askedTickets() takes a fenced line that is not a ticket as the body", () => {
  assert.deepEqual(askedTickets(request("<ticket>\nno json\n</ticket>")), [{ subject: "", body: "no json" }]);
});

Deno.test("saidAbout() finds a label's description and examples in the system message", () => {
  const asked = request(
    "x",
    'Labels:\n- order/delivery: where is my parcel\n    e.g. "It never came"\n    e.g. "Too late"\n- other: the rest\n\nThanks',
  );
  assert.deepEqual(saidAbout("order/delivery", asked), ["where is my parcel", "It never came", "Too late"]);
  assert.deepEqual(saidAbout("other", asked), ["the rest"]);
  assert.deepEqual(saidAbout("missing", asked), []);
});

Deno.test("allowedLabels() finds the enum of category at any depth", () => {
  const item = { type: "object", properties: { id: { type: "string" }, category: { enum: ["x", "y"] } } };
  assert.deepEqual(allowedLabels(item), ["x", "y"]);
  assert.deepEqual(allowedLabels({ properties: { labels: { type: "array", items: item } } }), ["x", "y"]);
  assert.equal(allowedLabels({ type: "object", properties: {} }), undefined);
});

Deno.test("writeAnswer() writes every property of the schema and keeps the label a piece of its own", () => {
  const pieces = writeAnswer({
    type: "object",
    properties: {
      category: { type: "string", enum: ["bug", "other"] },
      reason: { type: "string" },
      language: { type: "string" },
      note: { type: ["string", "null"] },
      urgent: { type: "boolean" },
    },
  }, [answer]);
  const text = pieces.map((piece) => piece.text).join("");
  assert.deepEqual(JSON.parse(text), {
    category: "bug",
    reason: "nearest to bug tickets (75%), next other (25%)",
    language: "en",
    note: null,
    urgent: false,
  });
  assert.deepEqual(pieces.filter((piece) => piece.odds !== undefined).map((piece) => piece.text), ["bug"]);
});

Deno.test("writeAnswer() writes one array item a ticket with its id", () => {
  const items = { properties: { id: { type: "string" }, category: { enum: ["bug", "other"] } } };
  const text = writeAnswer({ properties: { labels: { type: "array", items } } }, [answer, {
    ...answer,
    id: "8",
  }])
    .map((piece) => piece.text).join("");
  assert.deepEqual(JSON.parse(text), {
    labels: [{ id: "7", category: "bug" }, { id: "8", category: "bug" }],
  });
});

Deno.test("chatCompletion() has tokens whose concatenation is the content, with log-probabilities", () => {
  const pieces = writeAnswer({ properties: { category: { enum: ["bug", "other"] } } }, [answer]);
  const frame = { id: "1", created: 5, fingerprint: "f", promptText: "one two", topLogprobs: 5 };
  const body = JSON.parse(JSON.stringify(chatCompletion(pieces, frame)));
  const { message, logprobs } = body.choices[0];
  assert.equal(logprobs.content.map(({ token }: { token: string }) => token).join(""), message.content);
  const label = logprobs.content[1];
  assert.equal(label.token, "bug");
  assert.equal(label.logprob, Math.log(0.75));
  assert.deepEqual(label.top_logprobs.map(({ token }: { token: string }) => token), ["bug", "other"]);
  assert.equal(body.usage.prompt_tokens, 2);
  assert.equal(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens);
});

Deno.test("countTokens() counts words, the rest of long words, and signs", () => {
  assert.equal(countTokens("Hello, world!"), 4);
  assert.equal(countTokens("classification"), 3);
  assert.equal(countTokens(""), 0);
});

Deno.test("rankLabels() renormalises the trained labels that are allowed and never looks at likeness then", () => {
  const ranked = rankLabels(["bug", "other"], [0.5, 0.3, 0.1, 0, 0.1], () => {
    throw new Error("asked");
  });
  assert.deepEqual(ranked.map(({ label }) => label), ["bug", "other"]);
  assert.ok(Math.abs((ranked[0]?.probability ?? 0) - 0.75) < 1e-12);
});

Deno.test("rankLabels() gives a new label the share its likeness earns it", () => {
  const likeness = (label: string) => label === "shipping" ? 0.6 : 0.1;
  const ranked = rankLabels(["bug", "other", "shipping"], [0, 0.5, 0, 0, 0.5], likeness);
  assert.equal(ranked[0]?.label, "shipping");
  assert.ok(Math.abs(ranked.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-12);
});

Deno.test("guessLanguage() is right for at least nine in ten of the labelled tickets that are not tiny", async () => {
  const tickets = parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)).filter(({ body }) =>
    body.length > 40
  );
  const right = tickets.filter(({ subject, body, language }) =>
    guessLanguage(`${subject}\n${body}`) === language
  );
  assert.ok(right.length / tickets.length >= 0.9, `${right.length} of ${tickets.length}`);
});

Deno.test("guessLanguage() says und where there is nothing to go by", () => {
  assert.equal(guessLanguage("?? 123"), "und");
  assert.equal(guessLanguage("アプリが起動しません"), "ja");
  assert.equal(guessLanguage("Приложение не открывается"), "ru");
});
