// Troubles that are planted on a stage: each begins, is named by a cause or a check, and ends.

import { REFUSED_WORD, type Stage } from "./stage.ts";
import type { Trouble } from "./trouble.ts";

const refusal = (status: number, code: string, message: string) => () =>
  Response.json({ error: { message, code, type: code } }, { status });

function refuses(name: string, status: number, code: string, message: string): Trouble<Stage> {
  return {
    name,
    named: new RegExp(`^(misconfigured|workers-not-ready): .*${code}`),
    begin: (stage) => void (stage.refusal = refusal(status, code, message)),
    end: (stage) => void (stage.refusal = undefined),
  };
}

const changeFlow = ({ consumer }: Stage, action: "pause" | "resume") =>
  fetch(`${consumer.adminUrl}/flow/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ by: "ada" }),
  });

const allow = ({ consumer }: Stage, count: number) =>
  fetch(`${consumer.adminUrl}/dead-letters/allow`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ count }),
  });

/** All that need no broker of their own. */
export const TROUBLES: readonly Trouble<Stage>[] = [
  refuses("the provider's key is revoked", 401, "invalid_api_key", "Incorrect API key provided"),
  refuses("the model's name is wrong", 404, "model_not_found", "The model does not exist"),
  refuses("the quota is spent", 429, "insufficient_quota", "You exceeded your current quota"),
  {
    name: "the provider is away",
    named: /^(outage|no-replica|workers-not-ready): .*could not be reached/,
    begin: ({ provider }) => provider.cut(),
    end: ({ provider }) => provider.mend(),
  },
  {
    name: "the database is away",
    named: /^(outage|no-replica|workers-not-ready): .*database-unreachable/,
    begin: ({ database }) => database.cut(),
    end: ({ database }) => database.mend(),
  },
  {
    name: "a table is dropped",
    named: /^(outage|workers-not-ready): .*database-misconfigured/,
    begin: ({ sql }) => sql("alter table tickets rename to tickets_gone"),
    end: ({ sql }) => sql("alter table tickets_gone rename to tickets"),
  },
  {
    name: "bad records flood in",
    named: /^dead-letter-flood: .*not-json/,
    begin: (stage) => stage.produce(Array.from({ length: 60 }, () => "no JSON")),
    end: (stage) => allow(stage, 100),
  },
  {
    name: "one ticket is refused, and others flow",
    named: /head: .*permission_denied/,
    begin: async (stage) => {
      stage.refusesWord = true;
      await stage.produce([stage.ticket(REFUSED_WORD)]);
    },
    end: (stage) => void (stage.refusesWord = false),
  },
  {
    name: "one ticket is refused on an idle topic",
    named: /^stalled-record: .*permission_denied/,
    begin: async (stage) => {
      stage.stopFeeding();
      await stage.consumer.untilReady();
      stage.refusesWord = true;
      await stage.produce([stage.ticket(REFUSED_WORD)]);
    },
    end: (stage) => {
      stage.refusesWord = false;
      stage.feed();
    },
  },
  {
    name: "the workers are gone",
    named: /^(no-replica|outage): /,
    begin: (stage) => stage.stopWorker(),
    end: (stage) => stage.startWorker(),
  },
  {
    name: "the day's budget is spent",
    named: /budget/,
    begin: async (stage) => {
      await stage.stopWorker();
      await stage.startWorker({ TOKENS_PER_DAY: "1000" });
    },
    end: async (stage) => {
      await stage.stopWorker();
      await stage.startWorker();
    },
  },
  {
    name: "an operator pauses",
    named: /^paused: .*by ada/,
    begin: (stage) => changeFlow(stage, "pause"),
    end: (stage) => changeFlow(stage, "resume"),
  },
];
