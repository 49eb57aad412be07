// A worker in memory with tickets whose labels are uncertain, for tests of the review.

import { type WorkerApp, workerApp, type WorkerAppOptions } from "./worker_app.ts";

/** Labels `count` tickets as billing: "1" is 40% sure, each other one a little more. */
export async function reviewableWorker(count: number, options: WorkerAppOptions = {}): Promise<WorkerApp> {
  const worker = workerApp(options);
  const [token] = options.tokens ?? [];
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token.token}` };
  for (let id = 1; id <= count; id++) {
    worker.tables.tickets.set(String(id), { category: null, classifiedAtMs: null });
    await worker.classify({ ticket_id: id, subject: `Subject ${id}`, body: "Some text" }, headers);
  }
  for (const [id, fence] of worker.tables.fences) {
    const confidence = 0.4 + Number(id) / 100;
    worker.tables.fences.set(id, { ...fence, label: { ...fence.label, confidence } });
  }
  return worker;
}
