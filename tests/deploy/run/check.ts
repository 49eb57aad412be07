// What is asked of compose.yaml's services when they run: up in order, four workers, tickets labelled, stopped cleanly.

import { countLabels, type LabelCount } from "../../chaos/stage/load.ts";
import { type Parsed, yamlOf } from "../../support/images/deploy_files.ts";
import { until } from "../../support/until.ts";
import type { Report } from "../../support/processes/real_install.ts";
import type { Service } from "./compose_config.ts";
import type { Images } from "./images.ts";
import { Network } from "./network.ts";
import { Project, type Stopped } from "./project.ts";

const SAMPLES = 20;
const OWN = 600;
const OWN_FIRST_ID = 5000;
/** A model that labels on two cores takes its time. */
const LABELLED_MAX_MS = 300_000;
const READY_MAX_MS = 60_000;

/** What the check runs on. */
export interface CheckOptions {
  readonly services: Readonly<Record<string, Service>>;
  readonly images: Images;
  readonly folder: string;
  readonly report: Report;
}

/** @throws {Error} naming the first thing that is not as it should be. */
export async function check({ services, images, folder, report }: CheckOptions): Promise<void> {
  await using network = await Network.create(folder);
  const around = { images, folder, resolvConf: network.resolvConf };
  const project = new Project(services, around, network);
  const play = new Play(project, services, folder, report);
  try {
    await play.up();
    await play.samples();
    await play.adHoc();
    await play.observed();
    await play.ownTickets();
    await play.stopAndGoOn();
  } catch (error) {
    report(project.diagnosis());
    throw error;
  } finally {
    await project.kill();
  }
}

/** The steps, in their order. */
class Play {
  constructor(
    private readonly project: Project,
    private readonly services: Readonly<Record<string, Service>>,
    private readonly folder: string,
    private readonly report: Report,
  ) {}

  /** `up --scale worker=4` */
  async up(): Promise<void> {
    await this.project.up({ worker: 4 });
    await this.#consumerReady();
    await this.#replicas(4);
    for (const name of ["consumer", "worker", "ingress", "model"]) {
      for (const container of this.project.containers(name)) await container.untilHealthy();
    }
    this.report("up: the consumer is ready, 4 workers are behind the name, every health check exits 0");
  }

  /** `run produce` */
  async samples(): Promise<void> {
    await this.project.run("produce");
    await this.#labelled(SAMPLES);
    this.report(`run produce: ${SAMPLES} tickets are labelled`);
  }

  /** A call from outside, through the ingress. */
  async adHoc(): Promise<void> {
    const response = await this.project.only("ingress").ask(8000, "/classify", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ subject: "Charged twice", body: "My card was charged twice." }),
    });
    const { category } = await response.json();
    if (response.status !== 200) throw new Error(`the ingress answered ${response.status}`);
    this.report(`ingress: an ad-hoc call is answered 200 (${category})`);
  }

  /** `--profile observability`; Grafana's program is not to be had here. */
  async observed(): Promise<void> {
    await this.project.add("prometheus", 1);
    const jobs: Parsed[] = yamlOf("deploy/observability/prometheus.yaml").scrape_configs;
    const asked: string[] = jobs.flatMap(({ dns_sd_configs }) =>
      dns_sd_configs.flatMap(({ names }: Parsed) => names)
    );
    const targets = asked.reduce((sum, name) => sum + this.project.containers(name).length, 0);
    await until(`${targets} targets that are up`, async () => {
      const answer = await this.project.only("prometheus").ask(9090, "/api/v1/query?query=up");
      const { data: { result } } = await answer.json() as { data: { result: { value: [number, string] }[] } };
      return result.length === targets && result.every(({ value }) => value[1] === "1");
    }, { timeoutMs: READY_MAX_MS });
    this.report(`Prometheus: ${targets} targets are up (${asked.join(", ")})`);
  }

  /** A file of one's own on standard input, while workers come, leave and die. */
  async ownTickets(): Promise<void> {
    const lines = Array.from(
      { length: OWN },
      (_, at) =>
        JSON.stringify({
          ticket_id: OWN_FIRST_ID + at,
          subject: "Cannot log in",
          body: `No mail comes, case ${at}`,
        }),
    );
    const stdin = `${this.folder}/tickets.jsonl`;
    await Deno.writeTextFile(stdin, `${lines.join("\n")}\n`);
    await this.project.run("produce", { args: ["--insert", "-"], stdin });
    await this.project.add("worker", 2);
    await this.#replicas(6);
    const [first, second] = this.project.containers("worker");
    if (first === undefined || second === undefined) throw new Error("there are no two workers");
    this.#clean([await this.project.stopOne(first)]);
    await second.child.end("SIGKILL");
    await this.project.stopOne(second);
    await this.#replicas(4);
    this.report(
      `scaled to 6 workers, stopped one, killed one with -9, with ${await this.#waiting()} tickets to go`,
    );
  }

  /** `stop` under load, then `up` again. */
  async stopAndGoOn(): Promise<void> {
    const waiting = await this.#waiting();
    this.#clean(await this.project.stop());
    if (waiting === 0) throw new Error("everything was labelled before the stop: it says nothing");
    await this.project.up({ worker: 4 });
    await this.#labelled(SAMPLES + OWN);
    await until("a backlog of 0", async () => (await this.#scale())["backlog"] === 0);
    const metrics = await (await this.project.only("consumer").ask(8080, "/metrics")).text();
    const dead = /^ackpool_dead_letters_total(?:\{[^}]*\})? ([1-9]\d*)/m.exec(metrics);
    if (dead !== null) throw new Error(`${dead[1]} dead letters`);
    this.report(
      `stop with ${waiting} tickets to go, up again: all ${
        SAMPLES + OWN
      } are labelled, none is a dead letter`,
    );
    this.#clean(await this.project.stop());
  }

  async #consumerReady(): Promise<void> {
    let last = "";
    await until("a consumer that is ready", async () => {
      const answer = await this.project.only("consumer").ask(8080, "/readyz");
      last = await answer.text();
      return answer.ok;
    }, { timeoutMs: READY_MAX_MS }).catch((error) => {
      throw new Error(`${error.message}; /readyz said: ${last} (${error.cause})`);
    });
  }

  async #replicas(count: number): Promise<void> {
    await until(`${count} replicas`, async () => (await this.#scale())["replicas"] === count);
  }

  async #scale(): Promise<Readonly<Record<string, unknown>>> {
    return await (await this.project.only("consumer").ask(8080, "/scale")).json();
  }

  async #labelled(count: number): Promise<void> {
    const counted = async () => {
      const { tickets, unlabelled } = await this.#tickets();
      return tickets === count && unlabelled === 0;
    };
    await until(`${count} labels`, counted, { timeoutMs: LABELLED_MAX_MS, everyMs: 250 });
  }

  async #waiting(): Promise<number> {
    return (await this.#tickets()).unlabelled;
  }

  /** Asked from outside the containers, with the password that compose gives the workers. */
  async #tickets(): Promise<LabelCount> {
    const url = new URL(this.services["worker"]?.environment?.["DATABASE_URL"] ?? "");
    url.hostname = this.project.only("postgres").place.address;
    return await countLabels(url.href);
  }

  #clean(stopped: readonly Stopped[]): void {
    for (const { name, code, tookMs } of stopped) {
      this.report(`stop ${name}: exit ${code} after ${(tookMs / 1000).toFixed(1)} s`);
      // A JVM that ends on SIGTERM says 143; Prometheus and PostgreSQL say 0.
      if (code !== 0 && !(name === "kafka" && code === 143)) throw new Error(`${name} exited with ${code}`);
    }
  }
}
