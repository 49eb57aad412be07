// socketFactory() opens sockets to brokers with the certificates of that moment, and to IPv6 addresses.

import net from "node:net";
import tls from "node:tls";
import type { ISocketFactory } from "kafkajs";
import type { TlsOptions } from "./tls_files.ts";

const KEEP_ALIVE_MS = 60_000;
/** Ends the name an IPv6 address has within kafkajs; no host is ever looked up by it. */
const IPV6_NAME = ".ipv6.invalid";

/** A broker's address for kafkajs, which takes everything behind the first colon for the port. */
export function toKafkajsAddress(broker: string): string {
  const [, address, port] = /^\[([0-9A-Fa-f:.]+)\]:(\d+)$/.exec(broker) ?? [];
  return address === undefined ? broker : `${address.replaceAll(":", "-")}${IPV6_NAME}:${port}`;
}

/** @param tlsOptions is asked anew for every connection; undefined: no TLS. */
export function socketFactory(tlsOptions: TlsOptions | undefined): ISocketFactory {
  return ({ host: name, port, onConnect }) => {
    const host = fromKafkajsHost(name);
    const servername = net.isIP(host) ? {} : { servername: host };
    const socket = tlsOptions === undefined
      ? net.connect({ host, port }, onConnect)
      : tls.connect({ host, port, ...servername, ...tlsOptions() }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return socket;
  };
}

function fromKafkajsHost(host: string): string {
  return host.endsWith(IPV6_NAME) ? host.slice(0, -IPV6_NAME.length).replaceAll("-", ":") : host;
}
