// The screen of the pool: each replica's permits, its limit and why, its latency and errors, and the provider.

import type { PoolState, ReplicaState } from "../state.ts";
import { duration, figure, moment } from "../words.ts";

/** What is renewed. */
export function Pool({ pool }: { readonly pool: PoolState }) {
  const { provider, replicas } = pool;
  return (
    <>
      <dl class="figures">
        <div>
          <dt>In flight</dt>
          <dd>{figure(pool.in_flight)}</dd>
        </div>
        <div>
          <dt>Permits</dt>
          <dd>{figure(pool.permits)}</dd>
        </div>
        <div>
          <dt>Replicas that take work</dt>
          <dd>{replicas.filter(({ permits }) => permits > 0).length}</dd>
        </div>
        <div>
          <dt>Provider's rate</dt>
          <dd>{rateOf(provider)}</dd>
        </div>
      </dl>
      {provider !== null && provider.rest_ms > 0 && (
        <p class="trouble">The provider wants to be left alone for {duration(provider.rest_ms)} more.</p>
      )}
      {replicas.length === 0
        ? <p class="note">No replica is known now.</p>
        : <Replicas replicas={replicas} />}
    </>
  );
}

const rateOf = (provider: PoolState["provider"]) =>
  provider === null || provider.rate_per_second === null
    ? "no limit known"
    : `${figure(provider.rate_per_second)} a second`;

function Replicas({ replicas }: { replicas: readonly ReplicaState[] }) {
  return (
    <div class="scroll" tabindex={0} role="region" aria-label="Replicas">
      <table>
        <thead>
          <tr>
            <th scope="col">Replica</th>
            <th scope="col">State</th>
            <th scope="col">In flight of limit</th>
            <th scope="col">Limited by</th>
            <th scope="col">Latency</th>
            <th scope="col">Failed, last 30 s</th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {replicas.map((replica) => (
            <tr class={replica.out === null ? "ok" : "trouble"}>
              <th scope="row">{replica.address}</th>
              <td>
                <span class="sign" aria-hidden="true"></span>
                {replica.out?.replaceAll("-", " ") ?? "takes work"}
                {since(replica)}
              </td>
              <td>
                <meter min="0" max={replica.limit} value={replica.in_flight} aria-label="Permits in use">
                </meter>{" "}
                {replica.in_flight} of {replica.permits}
              </td>
              <td>{replica.limited_by}</td>
              <td>{duration(replica.latency_ms)}</td>
              <td>{replica.failures} of {replica.attempts}</td>
              <td>{replica.last ?? "-"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const since = ({ since }: ReplicaState) => since === null ? "" : ` since ${moment(since)}`;
