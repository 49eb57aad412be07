// The screen of partitions: a ribbon each, and the record that holds each watermark.

import type { HeadState, PartitionState } from "../state.ts";
import type { RibbonPart } from "../ribbon.ts";
import { duration, figure } from "../words.ts";

const CELLS: Readonly<Record<RibbonPart["state"], string>> = {
  "settled": "settled",
  "in-flight": "in flight",
  "ready": "ready to go",
  "waiting": "waiting for a retry",
  "dead": "becoming a dead letter",
  "unread": "not yet read",
};

/** What is renewed. */
export function Partitions({ partitions }: { readonly partitions: readonly PartitionState[] }) {
  if (partitions.length === 0) return <p class="note">This consumer holds no partition now.</p>;
  return (
    <>
      <ul class="legend" aria-label="What the colours mean">
        {Object.entries(CELLS).map(([state, title]) => (
          <li>
            <span class={`key ${state}`} aria-hidden="true"></span>
            {title}
          </li>
        ))}
      </ul>
      {partitions.map((each) => <OnePartition partition={each} />)}
    </>
  );
}

function OnePartition({ partition }: { partition: PartitionState }) {
  const { id, ribbon, committed, watermark, end, backlog, in_flight, head, map_full, paused } = partition;
  return (
    <section class="partition" aria-labelledby={`p-${id}`}>
      <h2 id={`p-${id}`}>{id}</h2>
      {ribbon.parts.length === 0 ? <p class="ribbon empty">Everything is settled.</p> : (
        <svg
          class="ribbon"
          viewBox="0 0 1000 10"
          preserveAspectRatio="none"
          role="img"
          aria-label={`${figure(backlog)} to do between ${ribbon.first} and ${ribbon.end}`}
        >
          {ribbon.parts.map(({ state, from, to }) => (
            <rect
              class={state}
              x={(from * 1000).toFixed(1)}
              width={((to - from) * 1000).toFixed(1)}
              height="10"
            />
          ))}
        </svg>
      )}
      <dl class="inline">
        <div>
          <dt>Committed</dt>
          <dd>{committed ?? "on its way"}</dd>
        </div>
        <div>
          <dt>Watermark</dt>
          <dd>{watermark}</dd>
        </div>
        <div>
          <dt>End</dt>
          <dd>{end}</dd>
        </div>
        <div>
          <dt>To do</dt>
          <dd>{figure(backlog)}</dd>
        </div>
        <div>
          <dt>In flight</dt>
          <dd>{in_flight}</dd>
        </div>
      </dl>
      <div class="head">
        {paused && <p class="trouble">Paused by an operator: nothing new of it is sent.</p>}
        <button type="button" class="quiet" data-action={paused ? "resume" : "pause"} data-hold={id}>
          {paused ? `Resume ${id}` : `Pause ${id}`}
        </button>
      </div>
      {map_full && (
        <p class="trouble">Nothing new of it starts: its offset map is full behind the record below.</p>
      )}
      {head !== null && <Head head={head} />}
    </section>
  );
}

/** A record that was tried in vain can be taken out; one that was not will go by itself. */
function Head({ head }: { head: HeadState }) {
  const { at, attempts, attempts_counted, state, age_ms, last, said } = head;
  return (
    <div class="head">
      <p>
        Held by <a href={`/page/tickets?find=${encodeURIComponent(at)}`}>{at}</a>:{" "}
        {state.replaceAll("_", " ")}, {attempts} attempts ({attempts_counted} counted), {duration(age_ms)} old
        {last !== null && (
          <>
            ; the last came to <strong>{last}</strong>
            {said !== null && `: ${said}`}
          </>
        )}.
      </p>
      {last !== null && <button type="button" data-action="take" data-at={at}>Make it a dead letter</button>}
    </div>
  );
}
