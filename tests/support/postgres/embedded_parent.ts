// A parent process to be killed: starts an embedded Postgres and prints its process id.

import { startEmbeddedPostgres } from "../../../local/embedded/postgres/launch.ts";

const { child } = await startEmbeddedPostgres({ port: 0 });
Deno.stdout.writeSync(new TextEncoder().encode(`child ${child.pid}\n`));
await child.ended;
