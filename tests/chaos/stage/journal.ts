// Every POST that went to a worker, as the proxies saw it: who sent which record when, and how it was answered.

/** One POST of a record. */
export interface Post {
  /** The record: its `Idempotency-Key`. */
  readonly key: string;
  /** The consumer that sent it. */
  readonly sender: string;
  readonly replica: number;
  readonly sentAtMs: number;
  /** Undefined while no answer came back, or when none ever did. */
  readonly answer?: { readonly status: number; readonly atMs: number };
  /** When its connection ended without an answer. */
  readonly lostAtMs?: number;
}

type OpenPost = { -readonly [Field in keyof Post]: Post[Field] };

/** A journal of POSTs; exact, because it is written outside the processes that get killed. */
export class Journal {
  readonly #posts: OpenPost[] = [];
  readonly #settled = new Map<string, number>();

  /** Notes a POST; the result notes its answer's status, or that there will be none. */
  sent(key: string, sender: string, replica: number): (status: number | undefined) => void {
    const post: OpenPost = { key, sender, replica, sentAtMs: Date.now() };
    this.#posts.push(post);
    return (status) => {
      if (status === undefined) {
        post.lostAtMs = Date.now();
        return;
      }
      post.answer = { status, atMs: Date.now() };
      if (status < 300 && !this.#settled.has(key)) this.#settled.set(key, post.answer.atMs);
    };
  }

  get posts(): readonly Post[] {
    return this.#posts;
  }

  /** Records that were answered 2xx, with the time of their first such answer in ms. */
  get settled(): ReadonlyMap<string, number> {
    return this.#settled;
  }

  /** Records that were sent and have no 2xx yet. */
  inFlight(): Set<string> {
    return new Set(this.#posts.map(({ key }) => key).filter((key) => !this.#settled.has(key)));
  }

  /** How many POSTs each record took. */
  postsByKey(): Map<string, Post[]> {
    return Map.groupBy(this.#posts, ({ key }) => key);
  }
}
