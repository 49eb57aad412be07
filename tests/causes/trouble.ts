// Trouble: something planted on a stage that begins, is named by a cause or a check, and ends.

import type { WhyJson } from "../../consumer/core/why/why.ts";
import type { ConsumerProcess, Scene } from "../support/processes/consumer_process.ts";

/** One trouble. */
export interface Trouble<S> {
  readonly name: string;
  /** Whether `GET /why` names it. */
  readonly named: RegExp;
  readonly begin: (stage: S) => Promise<unknown> | void;
  readonly end: (stage: S) => Promise<unknown> | void;
}

/** What is looked at on a stage. `await using` ends it. */
export interface Watched extends AsyncDisposable {
  readonly consumer: ConsumerProcess;
  readonly scene: Pick<Scene, "topic" | "groupId" | "kafka">;
  readonly why: () => Promise<WhyJson>;
}
