// The first screen: what holds the flow up, the eleven checks, the last hour, and where the last minute went.

import type { Check } from "../../core/why/checks.ts";
import type { SpentJson } from "../memory/time_spent.ts";
import type { NowState } from "../state.ts";
import { duration, figure } from "../words.ts";
import { Banner } from "./layout.tsx";

/** What is renewed. */
export function Now({ state: { why, latency, spent } }: { readonly state: NowState }) {
  const { figures } = why;
  return (
    <>
      <Banner why={why} />
      <dl class="figures">
        <Figure name="Arriving a second" value={figure(figures.arrivedPerSecond)} />
        <Figure name="Settled a second" value={figure(figures.settledPerSecond)} />
        <Figure name="To do" value={figure(figures.backlog)} />
        <Figure name="Oldest" value={duration(figures.oldestAgeMs)} />
        <Figure name="Done in" value={drain(figures.drainSeconds)} />
        <Figure name="p50" value={duration(latency.p50)} note="written to settled" />
        <Figure name="p95" value={duration(latency.p95)} note="written to settled" />
        <Figure name="p99" value={duration(latency.p99)} note="written to settled" />
      </dl>
      <section aria-labelledby="checks">
        <h2 id="checks">Checks</h2>
        <ol class="checks">{why.checks.map((check) => <OneCheck check={check} />)}</ol>
      </section>
      <Spent spent={spent} />
    </>
  );
}

/** The hour; its script draws it and fetches what it draws. */
export function HourChart() {
  return (
    <section aria-labelledby="hour">
      <h2 id="hour">The last hour</h2>
      <div
        class="chart"
        data-chart="/state/history"
        role="img"
        aria-label="Records arriving and settled a second, records to do and the age of the oldest, over the last hour"
      >
      </div>
      <p class="note" data-chart-empty>Nothing is remembered yet: the first point comes after ten seconds.</p>
    </section>
  );
}

function Figure({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{name}{note !== undefined && <small>{note}</small>}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const STATES: Readonly<Record<Check["state"], string>> = {
  ok: "Good",
  trouble: "Trouble",
  unknown: "Unknown",
};

function OneCheck({ check }: { check: Check }) {
  return (
    <li class={check.state}>
      <span class="sign" aria-hidden="true"></span>
      <span class="hidden">{STATES[check.state]}:</span>
      <span class="question">{check.question}</span>
      <span class="answer">{check.text}</span>
    </li>
  );
}

const PARTS = [
  ["waiting_ms", "waiting for a permit"],
  ["network_ms", "on the way"],
  ["worker_ms", "in the worker"],
  ["llm_ms", "in the model"],
  ["database_ms", "in the database"],
] as const satisfies readonly (readonly [keyof SpentJson, string])[];

function Spent({ spent }: { spent: SpentJson }) {
  const sum = PARTS.reduce((total, [name]) => total + spent[name], 0);
  let from = 0;
  return (
    <section aria-labelledby="spent">
      <h2 id="spent">Where the last minute went</h2>
      {spent.records === 0
        ? <p class="note">No record was settled at its first attempt in the last minute.</p>
        : (
          <>
            <svg class="spent" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
              {PARTS.map(([name]) => {
                const width = sum === 0 ? 0 : spent[name] / sum * 1000;
                const x = from;
                from += width;
                return <rect class={name} x={x.toFixed(1)} width={width.toFixed(1)} height="10" />;
              })}
            </svg>
            <ul class="legend">
              {PARTS.map(([name, title]) => (
                <li>
                  <span class={`key ${name}`} aria-hidden="true"></span>
                  {title}: {duration(spent[name])}
                </li>
              ))}
            </ul>
            <p class="note">Mean of {figure(spent.records)} records that were looked at.</p>
          </>
        )}
    </section>
  );
}

const drain = (seconds: number | null) =>
  seconds === null ? "not falling" : seconds === 0 ? "now" : duration(seconds * 1000);
