// A resolver that remembers what names answered: an address that is missing from one answer is not gone. Pure.

import type { Resolver, ServicePlace } from "./dns.ts";

/** Longest time for which the same answer counts as one, in ms, whatever TTL it has: what is gone should go some day. */
const TTL_MAX_MS = 30_000;
/** Answers in a row that lack an address that is gone. */
const MISSES_MIN = 2;
/** The same where an answer has others in its place: the name may rotate. */
const MISSES_SWAPPED = 4;
/** The most answers that an address is kept for: five minutes of them. */
const MISSES_MAX = 100;
/** Answers without a swap after which a name does not rotate any more. */
const CALM_ANSWERS = 100;
/** Names that are remembered: targets of services come and go. */
const NAMES_MAX = 1000;

/** What a name answered of late. `T` is an address or a service's place. */
class NameMemory<T> {
  readonly #idOf: (one: T) => string;
  /** How many answers in a row lacked it, and how many it is kept for. Those that are gone are there for a while. */
  readonly #known: Map<string, { readonly one: T; missed: number; keptFor: number }> = new Map();
  /** A rotating name's addresses came back after at most half as many answers. */
  #keep = MISSES_MIN;
  #calm = 0;
  /** What the latest answer had, and until when a cache may say it again without looking. */
  #latest = "";
  #latestUntilMs = 0;

  constructor(idOf: (one: T) => string) {
    this.#idOf = idOf;
  }

  /** Something is missing of which the next answer will show whether it is gone. */
  get unsettled(): boolean {
    return this.#keep === MISSES_MIN && [...this.#known.values()].some(isMissing);
  }

  /** Whether an answer lacks something and may be one that a cache gave before: then it says nothing new. */
  repeats(answer: readonly T[], nowMs: number): boolean {
    return nowMs < this.#latestUntilMs && this.#textOf(answer) === this.#latest;
  }

  /** The latest answer may come again for so long without anybody looking. */
  hold(answer: readonly T[], untilMs: number): void {
    this.#latest = this.#textOf(answer);
    this.#latestUntilMs = untilMs;
  }

  /** Everything that is not known to be gone. */
  get current(): readonly T[] {
    return [...this.#known.values()].filter(({ missed, keptFor }) => missed < keptFor).map(({ one }) => one);
  }

  /** Something that was there is missing from the latest answer. */
  get lacks(): boolean {
    return [...this.#known.values()].some(isMissing);
  }

  /** Takes an answer in; returns what there is. */
  update(answer: readonly T[]): readonly T[] {
    const ids = new Set(answer.map(this.#idOf));
    const lost = [...this.#known].some(([id, { missed }]) => missed === 0 && !ids.has(id));
    const gained = answer.some((one) => (this.#known.get(this.#idOf(one))?.missed ?? 1) > 0);
    // Scaling adds or takes away. An answer that does both shows another part of a whole, or a new generation.
    const swapped = lost && gained;
    this.#calm = swapped ? 0 : this.#calm + 1;
    if (this.#calm > CALM_ANSWERS) this.#keep = MISSES_MIN;
    for (const one of answer) this.#see(one, swapped);
    for (const [id, entry] of this.#known) {
      if (!ids.has(id)) this.#miss(id, entry, swapped);
    }
    return this.current;
  }

  #textOf(answer: readonly T[]): string {
    return answer.map(this.#idOf).sort().join(" ");
  }

  #see(one: T, swapped: boolean): void {
    const missed = this.#known.get(this.#idOf(one))?.missed ?? 0;
    if (swapped && missed > 0) this.#keep = Math.min(MISSES_MAX, Math.max(this.#keep, 2 * missed + 2));
    this.#known.set(this.#idOf(one), { one, missed: 0, keptFor: MISSES_MIN });
  }

  #miss(id: string, entry: { missed: number; keptFor: number }, swapped: boolean): void {
    entry.missed += 1;
    entry.keptFor = Math.max(entry.keptFor, this.#keep, swapped && entry.missed === 1 ? MISSES_SWAPPED : 0);
    if (entry.missed > MISSES_MAX) this.#known.delete(id);
  }
}

function isMissing({ missed, keptFor }: { readonly missed: number; readonly keptFor: number }): boolean {
  return missed > 0 && missed < keptFor;
}

/** Adds to every answer what earlier ones had and is not known to be gone. Look-ups that fail change nothing. */
export class RememberingResolver implements Resolver {
  readonly #resolver: Resolver;
  readonly #addresses: Map<string, NameMemory<string>> = new Map();
  readonly #services: Map<string, NameMemory<ServicePlace>> = new Map();

  readonly #nowMs: () => number;

  constructor(resolver: Resolver, nowMs: () => number = () => 0) {
    this.#resolver = resolver;
    this.#nowMs = nowMs;
  }

  /** The next answers will show whether something is gone. */
  get unsettled(): boolean {
    return [...this.#addresses.values(), ...this.#services.values()].some(({ unsettled }) => unsettled);
  }

  readonly addresses = async (hostname: string): Promise<readonly string[]> => {
    const answer = await this.#resolver.addresses(hostname);
    const memory = memoryOf(this.#addresses, hostname, (address) => address);
    if (memory.repeats(answer, this.#nowMs())) return memory.current;
    const addresses = memory.update(answer);
    // Only where something is missing does it matter how old an answer may be.
    const ttlMs = memory.lacks ? await this.#resolver.ttlMs?.(hostname) ?? 0 : 0;
    memory.hold(answer, this.#nowMs() + Math.min(ttlMs, TTL_MAX_MS));
    return addresses;
  };

  readonly services = async (name: string): Promise<readonly ServicePlace[]> => {
    const answer = await this.#resolver.services(name);
    const places = memoryOf(
      this.#services,
      name,
      ({ target, port, priority }) => `${target}:${port} ${priority}`,
    )
      .update(answer);
    // Another priority is another group of places: what it replaces is gone.
    const first = Math.min(...answer.map(({ priority }) => priority));
    return answer.length === 0 ? places : places.filter(({ priority }) => priority >= first);
  };
}

function memoryOf<T>(
  memories: Map<string, NameMemory<T>>,
  name: string,
  idOf: (one: T) => string,
): NameMemory<T> {
  const known = memories.get(name) ?? new NameMemory(idOf);
  memories.set(name, known);
  const [oldest] = memories.keys();
  if (memories.size > NAMES_MAX && oldest !== undefined) memories.delete(oldest);
  return known;
}
