// Isolates of one process (`deno serve --parallel`): how many there are, and when all of them are done. They share no
// memory, so each tells the others.

/** What isolates tell one another. */
interface Word {
  readonly id: string;
  readonly kind: "here" | "done";
}

/** What this isolate knows of the others. */
export class Isolates {
  readonly #id: string;
  readonly #channel: BroadcastChannel;
  /** By isolate: whether it is done. */
  readonly #others = new Map<string, boolean>();
  readonly #onCount: (count: number) => void;
  #onDone: (() => void) | undefined;

  /**
   * @param id Tells this isolate from the others.
   * @param channel Reaches the other isolates of this process and nobody else.
   * @param onCount Told how many isolates share the process, this one included, whenever one more is heard of.
   */
  constructor(id: string, channel: BroadcastChannel, onCount: (count: number) => void) {
    this.#id = id;
    this.#channel = channel;
    this.#onCount = onCount;
    channel.onmessage = ({ data }: MessageEvent<Word>) => this.#hear(data);
    this.#say("here");
  }

  /** This isolate is done; resolves when all of them are. Whoever ends the process earlier ends their work too. */
  async done(): Promise<void> {
    const all = new Promise<void>((resolve) => this.#onDone = resolve);
    this.#say("done");
    this.#check();
    await all;
  }

  #hear({ id, kind }: Word): void {
    const isNew = !this.#others.has(id);
    if (isNew || kind === "done") this.#others.set(id, kind === "done");
    if (isNew) {
      // It began later, so it has not heard of this one.
      this.#say("here");
      this.#onCount(this.#others.size + 1);
    }
    this.#check();
  }

  #check(): void {
    if ([...this.#others.values()].every(Boolean)) this.#onDone?.();
  }

  #say(kind: Word["kind"]): void {
    this.#channel.postMessage({ id: this.#id, kind } satisfies Word);
  }
}
