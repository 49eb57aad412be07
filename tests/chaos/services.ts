// The Kafka and PostgreSQL a campaign runs on: those of `test:real` where it runs inside, else its own.

import { RealKafka } from "../support/real_kafka.ts";
import type { Tell } from "../support/real_install.ts";
import { RealPostgres } from "../support/real_postgres.ts";

/** Where the services are. `await using` stops those that were started for it. */
export interface Services extends AsyncDisposable {
  readonly brokers: string;
  readonly databaseUrl: string;
}

/** Uses `KAFKA_BROKERS_TEST` and `DATABASE_URL_TEST` where both are set; starts real services otherwise. */
export async function realServices(tell: Tell): Promise<Services> {
  const brokers = Deno.env.get("KAFKA_BROKERS_TEST");
  const databaseUrl = Deno.env.get("DATABASE_URL_TEST");
  if (brokers && databaseUrl) return { brokers, databaseUrl, [Symbol.asyncDispose]: () => Promise.resolve() };
  await using stack = new AsyncDisposableStack();
  tell("starting PostgreSQL");
  const database = stack.use(await RealPostgres.start({ tell }));
  tell("starting Kafka");
  const kafka = stack.use(await RealKafka.start({ tell }));
  const started = stack.move();
  return {
    brokers: kafka.brokers,
    databaseUrl: database.url,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
