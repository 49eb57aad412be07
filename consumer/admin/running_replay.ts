// RunningReplay: the one replay that may run in this process, and its progress.

import type { ReplayProgress, ReplaySummary } from "../dead_letters/replay/request.ts";

/** What `GET /dead-letters/replay` answers. */
export type ReplayState =
  | { readonly state: "none" }
  | { readonly state: "running"; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly state: "ended"; readonly summary: ReplaySummary }
  | { readonly state: "failed"; readonly error: string };

/** The one replay that may run in this process, and its progress. */
export class RunningReplay {
  #state: ReplayState = { state: "none" };
  #stopping = new AbortController();

  state(): ReplayState {
    return this.#state;
  }

  /** Starts one; false where one runs. */
  start(replay: (progress: ReplayProgress, signal: AbortSignal) => Promise<ReplaySummary>): boolean {
    if (this.#state.state === "running") return false;
    this.#stopping = new AbortController();
    this.#state = { state: "running", phase: "reading", done: 0, total: 0 };
    const progress: ReplayProgress = (phase, done, total) =>
      this.#state = { state: "running", phase, done, total };
    replay(progress, this.#stopping.signal).then(
      (summary) => this.#state = { state: "ended", summary },
      (error: Error) => this.#state = { state: "failed", error: error.message },
    );
    return true;
  }

  /** Ends it between two slices; what was sent stays sent, and the same request goes on behind it. */
  stop(): void {
    this.#stopping.abort(new Error("It was stopped"));
  }
}
