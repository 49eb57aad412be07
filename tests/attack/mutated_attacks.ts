// Attacks with bytes that are almost HTTP: a few hundred of what `deno task attack:raw` sends by the ten thousand.

import assert from "node:assert/strict";
import { type Attack, classify, type Target } from "./attack.ts";
import { sendRaw } from "./raw/raw_client.ts";
import { type GoodRequest, RawRequests } from "./raw/raw_requests.ts";
import { ADMIN_GOOD, INGRESS_GOOD } from "./raw/targets.ts";

const REQUESTS = 400;
const CONNECTIONS = 16;

/** No fault of ours is among the answers, and the port answers afterwards. */
async function survives(url: string, good: readonly GoodRequest[]): Promise<void> {
  const port = Number(new URL(url).port);
  const requests = new RawRequests(1, good);
  const faults: string[] = [];
  const client = async () => {
    for (let left = REQUESTS / CONNECTIONS; left > 0; left--) {
      const request = requests.next();
      const { status } = await sendRaw(port, request);
      if (status === 500 || status === 502) faults.push(new TextDecoder().decode(request[0]).slice(0, 200));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  assert.deepEqual(faults, []);
  assert.equal((await fetch(`${url}/livez`)).status, 200);
}

/** Everything of this kind. */
export const MUTATED_ATTACKS: readonly Attack[] = [
  {
    name: `${REQUESTS} mutated requests are no error of the ingress and eject no replica`,
    run: async (target: Target) => {
      await survives(target.ingress, INGRESS_GOOD);
      assert.equal((await classify(target)).status, 200);
    },
  },
  {
    name: `${REQUESTS} mutated requests are no error of the admin port`,
    run: ({ admin }) => survives(admin, ADMIN_GOOD),
  },
];
