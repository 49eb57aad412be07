// The screen of tickets: the latest records with their labels and attempts. Nothing of what a ticket says is here.

import type { RecordFilter, RecordJson } from "../memory/recent_records.ts";
import { duration, moment } from "../words.ts";

const DECISIONS = ["settled", "retrying", "dead-lettered"] as const;

/** What is looked for stays in the address, so that it can be sent to somebody. */
export function TicketFilters({ filter }: { readonly filter: RecordFilter }) {
  return (
    <form class="filters" method="get" action="/page/tickets" aria-label="Filters">
      <label>
        Ticket id, or topic/partition/offset
        <input name="find" value={filter.find ?? ""} />
      </label>
      <label>
        Decision
        <select name="decision">
          <option value="">any</option>
          {DECISIONS.map((each) => <option selected={filter.decision === each}>{each}</option>)}
        </select>
      </label>
      <label>
        Label
        <input name="label" value={filter.label ?? ""} />
      </label>
      <label>
        Status
        <input name="status" value={filter.status ?? ""} placeholder="422, timeout" />
      </label>
      <button type="submit">Show</button>
      <button type="button" data-action="hold" aria-pressed="false">Hold still</button>
    </form>
  );
}

/** What is renewed. */
export function Tickets({ records }: { readonly records: readonly RecordJson[] }) {
  if (records.length === 0) {
    return <p class="note">None of the records that are remembered is like that.</p>;
  }
  return (
    <div class="scroll" tabindex={0} role="region" aria-label="Records">
      <table>
        <thead>
          <tr>
            <th scope="col">Record</th>
            <th scope="col">Ticket</th>
            <th scope="col">Decision</th>
            <th scope="col">Label</th>
            <th scope="col">Way</th>
          </tr>
        </thead>
        <tbody>{records.map((record) => <OneRecord record={record} />)}</tbody>
      </table>
    </div>
  );
}

function OneRecord({ record }: { record: RecordJson }) {
  const { at, ticket_id, decision, label, confidence, attempts, reason, trace_id, written, decided } = record;
  return (
    <tr class={decision}>
      <th scope="row">
        <a href={`/page/tickets?find=${encodeURIComponent(at)}`}>{at}</a>
      </th>
      <td>{ticket_id ?? "-"}</td>
      <td>
        <span class="sign" aria-hidden="true"></span>
        {decision}
        {reason !== null && ` (${reason})`}
      </td>
      <td>{label ?? "-"}{confidence !== null && ` ${Math.round(confidence * 100)}%`}</td>
      <td>
        <details id={`way-${at}`}>
          <summary>
            {attempts.length === 0
              ? "no attempt"
              : attempts.map(({ status, took_ms }) => `${status} in ${duration(took_ms)}`).join(", then ")}
          </summary>
          <ol>
            <li>written {moment(written)}</li>
            {attempts.map(({ ended, status, took_ms, said }) => (
              <li>{moment(ended)}: {status} after {duration(took_ms)}{said !== null && `: ${said}`}</li>
            ))}
            <li>{decision} {moment(decided)}</li>
            {trace_id !== null && <li>trace {trace_id}</li>}
          </ol>
        </details>
      </td>
    </tr>
  );
}
