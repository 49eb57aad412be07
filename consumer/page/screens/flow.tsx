// A hand on the flow: what is paused and limited for the whole group, by whom, and the buttons for it.

import type { FlowJson, SetBy } from "../../flow/flow_json.ts";
import { figure, moment } from "../words.ts";

/** What is renewed. */
export function Flow({ flow }: { readonly flow: FlowJson }) {
  const { pauses, rate, pool, notKept } = flow;
  const whole = pauses.some(({ topic }) => topic === null);
  return (
    <section aria-labelledby="flow">
      <h2 id="flow">Flow of the group</h2>
      {notKept !== null && <p class="trouble">Nothing can be changed now: {notKept}</p>}
      {pauses.length === 0 ? <p class="note">Nothing is paused.</p> : (
        <ul class="pauses">
          {pauses.map((pause) => {
            const at = pauseName(pause.topic, pause.partition);
            return (
              <li>
                <strong>{at} is paused</strong> {setBy(pause)}{" "}
                <button type="button" data-action="resume" data-hold={holdOf(pause.topic, pause.partition)}>
                  Resume {at}
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <dl class="inline">
        <div>
          <dt>Records a second</dt>
          <dd>
            {rate.recordsPerSecond === null ? "no limit" : figure(rate.recordsPerSecond)} {setBy(rate.setBy)}
          </dd>
        </div>
        <div>
          <dt>Permits</dt>
          <dd>
            {pool.permits === null ? "as many as the pools take" : figure(pool.permits)} {setBy(pool.setBy)}
          </dd>
        </div>
      </dl>
      <div class="buttons">
        {!whole && <button type="button" data-action="pause" data-hold="">Pause everything</button>}
        <button type="button" data-action="rate">Limit records a second</button>
        <button type="button" data-action="pool">Limit permits</button>
      </div>
    </section>
  );
}

const pauseName = (topic: string | null, partition: number | null) =>
  holdOf(topic, partition) || "Everything";

function holdOf(topic: string | null, partition: number | null): string {
  if (topic === null) return "";
  return partition === null ? topic : `${topic}/${partition}`;
}

const setBy = (set: SetBy | null) => set === null ? "" : `(${set.by} from ${set.from}, ${moment(set.since)})`;
