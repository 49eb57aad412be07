// A scene for the browser: a real consumer on an embedded Kafka, a scripted worker, and records that come all the time.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { type ConsumerProcess, Scene } from "../support/processes/consumer_process.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { problem, type SeenRequest, StubWorker } from "../support/workers/stub_worker.ts";
import { startChromium } from "./chromium.ts";

/** Records a second that come. */
const RATE = 40;
const EVERY_MS = 250;
const LABELS = ["billing", "bug", "feature_request", "account", "other"] as const;

/** What the worker does: labels, refuses what is bad, or is out of order. */
export interface WorkerMood {
  /** Records whose text has this are refused for good; undefined: none. */
  refuses: string | undefined;
  broken: boolean;
}

/** Everything that a test looks at. `await using` ends it. */
export class BrowserScene implements AsyncDisposable {
  readonly mood: WorkerMood = { refuses: "bad", broken: false };
  readonly #stack = new AsyncDisposableStack();
  #sent = 0;

  private constructor(
    readonly kafka: TestKafka,
    readonly scene: Scene,
    readonly browser: Browser,
  ) {}

  static async start(): Promise<BrowserScene> {
    const [kafka, browser] = await Promise.all([TestKafka.start(), startChromium()]);
    const started = new BrowserScene(kafka, await Scene.in(kafka), browser);
    started.#stack.use(kafka);
    started.#stack.defer(() => browser.close());
    return started;
  }

  /** A consumer with a worker of its own. */
  consumer(env: Readonly<Record<string, string>> = {}): ConsumerProcess {
    const worker = this.#stack.use(new StubWorker((request) => this.#answer(request)));
    worker.ready = () => this.mood.broken ? problem(503, "/problems/database-unreachable") : 200;
    return this.#stack.use(this.scene.consumer([worker], env));
  }

  /** Records come from now on, until the scene ends. */
  load(): void {
    const timer = setInterval(() => {
      const values = Array.from({ length: RATE * EVERY_MS / 1000 }, () => `v${this.#sent++}`);
      this.scene.produce(values).catch(() => {});
    }, EVERY_MS);
    this.#stack.defer(() => clearInterval(timer));
  }

  /** A tab of its own; its errors are collected. */
  async open(options: Parameters<Browser["newContext"]>[0] = {}): Promise<Tab> {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    return new Tab(context, await context.newPage());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #answer({ text, offset }: SeenRequest): Promise<Response> {
    const llmMs = 40 + (offset * 37) % 120;
    await new Promise((resolve) => setTimeout(resolve, llmMs));
    if (this.mood.broken) return problem(503, "/problems/database-unreachable");
    if (this.mood.refuses !== undefined && text.includes(this.mood.refuses)) {
      return problem(422, "/problems/no-subject");
    }
    return new Response(null, {
      headers: {
        "server-timing": `llm;dur=${llmMs}, db;dur=4, total;dur=${llmMs + 7}`,
        "ackpool-label": `${LABELS[offset % LABELS.length]};0.${90 - offset % 40}`,
        "ackpool-ticket-id": String(1000 + offset),
      },
    });
  }
}

/** One tab of the browser. `await using` closes it. */
export class Tab implements AsyncDisposable {
  /** What went wrong in it: errors of scripts, of the policy, requests to other hosts. */
  readonly errors: string[] = [];
  readonly #context: BrowserContext;

  constructor(context: BrowserContext, readonly page: Page) {
    this.#context = context;
    page.on("console", (message) => {
      if (message.type() === "error" && !/Failed to load resource/.test(message.text())) {
        this.errors.push(message.text());
      }
    });
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("request", (request) => {
      const { hostname } = new URL(request.url());
      if (hostname !== "127.0.0.1") this.errors.push(`a request to ${hostname}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
