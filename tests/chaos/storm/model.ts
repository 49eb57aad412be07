// The storm's model: answers like the stub, keeps who was asked about when, and fails on demand.

import { startStubLlm, type StubLlm, type StubRequest } from "../../support/workers/stub_llm.ts";

/** How it answers. */
export type ModelMood = "well" | "429" | "500" | "garbage";

/** One call about a ticket. */
export interface ModelCall {
  readonly at: number;
  readonly ticket: string;
  /** Whether a usable answer was sent. */
  readonly answered: boolean;
}

/** A model behind the OpenAI protocol. */
export class LoggedModel implements AsyncDisposable {
  mood: ModelMood = "well";
  readonly calls: ModelCall[] = [];
  readonly #stub: StubLlm;

  constructor(latencyMs: number) {
    this.#stub = startStubLlm({ latencyMs, tail: true, script: (request) => this.#answer(request) });
  }

  get port(): number {
    return Number(new URL(this.#stub.baseUrl).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stub.stop();
  }

  #answer({ messages }: StubRequest): Response | undefined {
    const ticket = /Ticket (\d+)\b/.exec(messages.at(-1)?.content ?? "")?.[1] ?? "";
    this.calls.push({ at: Date.now(), ticket, answered: this.mood === "well" });
    switch (this.mood) {
      case "well":
        return undefined;
      case "429":
        return Response.json({ error: { message: "slow down", type: "rate_limit_error" } }, {
          status: 429,
          headers: { "retry-after": "1" },
        });
      case "500":
        return Response.json({ error: { message: "broken", type: "server_error" } }, { status: 500 });
      case "garbage":
        return new Response("<html>Bad gateway</html>", { headers: { "content-type": "text/html" } });
    }
  }
}
