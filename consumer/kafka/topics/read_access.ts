// ReadAccess: which topics we may see and read, and whether we may join the group.

import type { Admin } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import { Forbidden } from "../client/refusals.ts";
import type { AclProbe } from "./acl_probe.ts";
import { countPartitions } from "./side_topics.ts";

const log = logger("kafka");

/** All of its questions reject when the brokers are away. */
export class ReadAccess {
  readonly #admin: Admin;
  readonly #rights: Pick<AclProbe, "mayRead" | "mayJoin">;
  readonly #forbidden: Set<string> = new Set();

  constructor(admin: Admin, rights: Pick<AclProbe, "mayRead" | "mayJoin">) {
    this.#admin = admin;
    this.#rights = rights;
  }

  /** Whether a topic is there. One that we may not see is not; that is told once. */
  async sees(topic: string): Promise<boolean> {
    try {
      if (await countPartitions(this.#admin, topic) === undefined) return false;
      this.#forbidden.delete(topic);
      return true;
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error;
      this.#forbid(topic);
      return false;
    }
  }

  /** Whether we may read a topic that is there; told once where we may not. */
  async reads(topic: string): Promise<boolean> {
    const may = await this.#rights.mayRead(topic);
    if (may) this.#forbidden.delete(topic);
    else this.#forbid(topic);
    return may;
  }

  /** Whether the last look at a topic was forbidden. */
  isForbidden(topic: string): boolean {
    return this.#forbidden.has(topic);
  }

  /**
   * What we have to do and may not, such as "join the group g".
   *
   * @param named topics that are to be read, there or not.
   */
  async missing(named: readonly string[], groupId: string): Promise<readonly string[]> {
    const missing: string[] = [];
    let visible: string | undefined;
    for (const topic of named) {
      const there = await this.sees(topic);
      if (there) visible ??= topic;
      const readable = there ? await this.reads(topic) : !this.isForbidden(topic);
      if (!readable) missing.push(`read the topic ${topic}`);
    }
    const joins = visible === undefined || await this.#rights.mayJoin(groupId, visible);
    return joins ? missing : [...missing, `join the group ${groupId}`];
  }

  #forbid(topic: string): void {
    if (!this.#forbidden.has(topic)) log.warn("topic forbidden", { topic });
    this.#forbidden.add(topic);
  }
}
