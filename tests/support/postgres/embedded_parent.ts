// A parent that is there to be killed: starts an embedded Postgres and tells its process id.

import { startEmbeddedPostgres } from "../../../local/embedded/postgres/launch.ts";

const { child } = await startEmbeddedPostgres({ port: 0 });
Deno.stdout.writeSync(new TextEncoder().encode(`child ${child.pid}\n`));
await child.ended;
