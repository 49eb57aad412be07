// The Kafka and PostgreSQL a campaign runs on, and the frame every campaign's command runs in.

import { RealKafka } from "../../support/kafka/real_kafka.ts";
import type { Report } from "../../support/processes/real_install.ts";
import { RealPostgres } from "../../support/postgres/real_postgres.ts";
import { type Findings, print, progress, publish } from "./report.ts";

/** Where the services are. */
export interface Services {
  readonly brokers: string;
  readonly databaseUrl: string;
}

/** The services that `test:real` started, for tests that run inside it. */
export function servicesOfTheTestRun(): Services {
  const brokers = Deno.env.get("KAFKA_BROKERS_TEST");
  const databaseUrl = Deno.env.get("DATABASE_URL_TEST");
  if (!brokers || !databaseUrl) {
    throw new Error(
      "KAFKA_BROKERS_TEST or DATABASE_URL_TEST is not set: run this through `deno task test:real`",
    );
  }
  return { brokers, databaseUrl };
}

/**
 * Starts real services, runs a campaign, prints its findings (and keeps them as `reports/<name>.md` unless they go
 * out as JSON), stops everything, and exits: 0 without faults, 1 with them or when the campaign broke, 130 on Ctrl-C.
 */
export async function campaignMain(
  name: string,
  json: boolean,
  campaign: (services: Services, report: Report) => Promise<Findings>,
): Promise<never> {
  return await kafkaCampaignMain(name, json, (report) => onRealServices(report, campaign), undefined);
}

/** As {@link campaignMain}, for campaigns that start what they need. `services` says what that is. */
export async function kafkaCampaignMain(
  name: string,
  json: boolean,
  campaign: (report: Report) => Promise<Findings>,
  services: string | undefined = "Kafka 4.1.0",
): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => Deno.exit(130));
  const report = progress();
  try {
    const findings = await campaign(report);
    if (json) print(`${JSON.stringify(findings)}\n`);
    else await publish(name, findings, services);
    return Deno.exit(findings.faults.length === 0 ? 0 : 1);
  } catch (error) {
    report(error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error));
    return Deno.exit(1);
  }
}

async function onRealServices<T>(
  report: Report,
  use: (services: Services, report: Report) => Promise<T>,
): Promise<T> {
  report("starting PostgreSQL");
  await using database = await RealPostgres.start({ report });
  report("starting Kafka");
  await using kafka = await RealKafka.start({ report });
  return await use({ brokers: kafka.brokers, databaseUrl: database.url }, report);
}
