// DNS records of the replicas: one name stands for all that take work. Pure.

import type { DnsRecord } from "../../embedded/dns/answer.ts";
import type { ReplicaPlace } from "./replica_set.ts";

const NAME = "_worker._tcp.ackpool.internal";

/** `WORKER_URL` of whoever sends to the replicas. */
export const REPLICAS_URL = `dns+srv://${NAME}`;

/** What a DNS server says of one replica. */
export function recordsOf({ number, port }: ReplicaPlace): DnsRecord[] {
  const target = `replica-${number}.ackpool.internal`;
  return [
    { name: NAME, type: "SRV", target, port },
    { name: target, type: "A", address: "127.0.0.1" },
  ];
}
