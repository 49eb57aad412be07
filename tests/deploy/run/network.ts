// The network of a compose project without an engine: a bridge, a network namespace for every container, and a name
// server that knows the services. Linux, root; it lives and dies with the network namespace this process is in.

import { type DnsRecord, type DnsServer, startDnsServer } from "../../../local/embedded/dns/server.ts";
import { must } from "../../support/images/deploy_tools.ts";

const BRIDGE = "ackpool0";
const PREFIX = "10.77.0";
const DNS_PORT = 53;

/** Where a container is. */
export interface Place {
  readonly namespace: string;
  readonly address: string;
}

/** A compose project's network without an engine: a bridge, a namespace for each container, a DNS server. */
export class Network implements AsyncDisposable {
  readonly #records: DnsRecord[] = [];
  #last = 1;

  private constructor(private readonly names: DnsServer, readonly resolvConf: string) {}

  /** @param folder gets the resolv.conf that containers see. */
  static async create(folder: string): Promise<Network> {
    // Names of namespaces are files; these are seen by nobody else and go with us.
    await must(["mount", "-t", "tmpfs", "tmpfs", "/run/netns", "-o", "X-mount.mkdir"]);
    await ip("link set lo up");
    await ip(`link add ${BRIDGE} type bridge`);
    await ip(`addr add ${PREFIX}.1/24 dev ${BRIDGE}`);
    await ip(`link set ${BRIDGE} up`);
    const resolvConf = `${folder}/resolv.conf`;
    await Deno.writeTextFile(resolvConf, `nameserver ${PREFIX}.1\n`);
    return new Network(await startDnsServer(DNS_PORT, `${PREFIX}.1`), resolvConf);
  }

  /** A place for one more container. */
  async place(): Promise<Place> {
    this.#last += 1;
    const [namespace, wire, address] = [`c${this.#last}`, `v${this.#last}`, `${PREFIX}.${this.#last}`];
    await ip(`netns add ${namespace}`);
    await ip(`link add ${wire} type veth peer name eth0 netns ${namespace}`);
    await ip(`link set ${wire} master ${BRIDGE} up`);
    await ip(`-n ${namespace} addr add ${address}/24 dev eth0`);
    await ip(`-n ${namespace} link set eth0 up`);
    await ip(`-n ${namespace} link set lo up`);
    return { namespace, address };
  }

  /** From now on the name has this address too. */
  name(name: string, address: string): void {
    this.#records.push({ name, type: "A", address });
    this.names.set(this.#records);
  }

  /** The name has this address no longer. */
  forget(name: string, address: string): void {
    const at = this.#records.findIndex((each) =>
      each.name === name && each.type === "A" && each.address === address
    );
    if (at >= 0) this.#records.splice(at, 1);
    this.names.set(this.#records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.names.close();
  }
}

async function ip(words: string): Promise<void> {
  await must(["ip", ...words.split(" ")]);
}
