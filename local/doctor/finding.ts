// A finding of the doctor: what was looked at, how it is, and what to do about it.

import { ConfigError } from "../../shared/config/read.ts";
import { StartError } from "../../shared/process/start_error.ts";

/** `embedded`: not configured, so that `start` brings its own. */
export type State = "ok" | "warn" | "fail" | "embedded";

/** What was looked at, how it is, and what to do about it. Holds no secret. */
export interface Finding {
  /** `broker`, `topic`, `database`. */
  readonly about: string;
  readonly state: State;
  readonly detail: string;
  readonly remedy?: string;
}

/** One part of the check; `limitMs` is the longest it may take. */
export interface Check {
  readonly about: string;
  readonly limitMs: number;
  readonly look: () => Promise<readonly Finding[]>;
}

/** Findings while they come; a check that ends early keeps what it found. */
export class Findings {
  readonly all: Finding[] = [];

  ok(about: string, detail: string): void {
    this.all.push({ about, state: "ok", detail });
  }

  embedded(about: string, detail: string): void {
    this.all.push({ about, state: "embedded", detail });
  }

  warn(about: string, detail: string, remedy: string): void {
    this.all.push({ about, state: "warn", detail, remedy });
  }

  fail(about: string, detail: string, remedy: string): void {
    this.all.push({ about, state: "fail", detail, remedy });
  }
}

/** What a check found; where it does not end in time or throws, that is the finding. */
export async function findingsOf({ about, limitMs, look }: Check): Promise<readonly Finding[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<readonly Finding[]>((resolve) =>
    timer = setTimeout(() => resolve([lateness(about, limitMs)]), limitMs)
  );
  try {
    return await Promise.race([look(), late]);
  } catch (error) {
    return failures(about, error);
  } finally {
    clearTimeout(timer);
  }
}

function lateness(about: string, limitMs: number): Finding {
  return {
    about,
    state: "fail",
    detail: `no answer within ${limitMs / 1000} s`,
    remedy: "Look at the network between this machine and it: a firewall that drops packets looks like this",
  };
}

function failures(about: string, error: unknown): readonly Finding[] {
  if (error instanceof ConfigError) {
    return error.problems.map((detail) => ({
      about,
      state: "fail",
      detail,
      remedy: "docs/configuration.md has every variable",
    }));
  }
  const detail = error instanceof Error ? error.message : String(error);
  const remedy = error instanceof StartError ? "See there" : "This is not known; the message is all there is";
  return [{ about, state: "fail", detail, remedy }];
}
