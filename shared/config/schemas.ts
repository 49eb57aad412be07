// Schemas of the environment's values: how each kind of text is read, and the words for what is wrong with it.

import { isIP } from "node:net";
import { z } from "zod";
import { type AccessToken, PEOPLES_SCOPES } from "../http/bearer_token.ts";
import type { DnsServer } from "../pool/discovery/dns.ts";
import { ConnectionStringError, parseConnectionString } from "../postgres/connection_string.ts";

export const text = () => z.string().trim().min(1, "is empty");
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.string().regex(/^\d+$/, "is not a whole number").transform(Number)
    .pipe(z.number().min(least, `is below ${least}`).max(most, `is above ${most}`));
export const milliseconds = (least = 0) => whole(least, 2_147_483_647);
export const share = () =>
  z.string().regex(/^\d*\.?\d+$/, "is not a number").transform(Number).pipe(z.number().max(1, "is above 1"));
export const flag = () =>
  z.enum(["true", "false"], "is neither true nor false").transform((value) => value === "true");
export const url = (...protocols: string[]) =>
  text().refine(
    (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
    `is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  );
export const connectionString = () =>
  text().superRefine((value, context) => {
    try {
      parseConnectionString(value);
    } catch (error) {
      if (!(error instanceof ConnectionStringError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
export const list = () =>
  text().transform((value) => value.split(",").map((part) => part.trim()).filter((part) => part.length > 0));

/** As Kafka takes an instance's name; `$HOSTNAME` is put in later. */
export const instanceId = () =>
  z.string().regex(
    /^(?:[A-Za-z0-9._-]|\$HOSTNAME){1,200}$/,
    "is not made of letters, digits, ., _, - and $HOSTNAME, 200 at most",
  );

/** A host name, an IPv4 address, or an IPv6 address in brackets; then a port (RFC 3986 section 3.2). */
const ADDRESS = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;
export const addresses = () =>
  list().refine(
    (parts) => {
      const ports = parts.map((part) => Number(ADDRESS.exec(part)?.[1] ?? 0));
      return ports.length > 0 && ports.every((port) => port > 0 && port <= 65_535);
    },
    "is not a comma list of host:port, an IPv6 address in brackets",
  );

/** A name as Postgres takes it, plain or in double quotes (63 bytes each). */
const IDENTIFIER = String.raw`(?:[A-Za-z_][A-Za-z0-9_$]{0,62}|"(?:[^"\0]|""){1,63}")`;
const TABLE = new RegExp(`^${IDENTIFIER}(?:\\.${IDENTIFIER})?$`);
const COLUMN = new RegExp(`^${IDENTIFIER}$`);
/** Tables of Ackpool's own, and of the database's. */
const NOT_TICKETS =
  /^"?(?:ackpool"?\."?(?:labels|fences|history|spend|migrations)|(?:pg_catalog|information_schema|pg_toast)"?\..*)"?$/;
export const identifier = () =>
  z.string().regex(TABLE, "is not an identifier like tickets or support.tickets").refine(
    (name) => !NOT_TICKETS.test(name),
    "is one of Ackpool's own tables, or of the database's",
  );
export const columns = () =>
  list().refine(
    (names) => names.length === 3 && names.every((name) => COLUMN.test(name)),
    "is not three column names",
  ).refine(
    (names) => new Set(names.map((name) => name.replaceAll('"', ""))).size === names.length,
    "names a column twice",
  );
export const amount = () => z.string().regex(/^\d*\.?\d+$/, "is not a number").transform(Number);

/** RFC 6750 section 2.1 (b64token): it has no colon, so one may stand before it. */
const PEOPLES_TOKEN = /^(?:([a-z+]+):)?([A-Za-z0-9._~+/-]+=*)$/;
const isScope = (name: string): name is (typeof PEOPLES_SCOPES)[number] =>
  PEOPLES_SCOPES.some((scope) => scope === name);
/** Tokens of people, each with its scopes before it: `classify+read:TOKEN`; a bare one may classify and read. */
export const scopedTokens = () =>
  list().refine(
    (parts) =>
      parts.length > 0 &&
      parts.every((part) => {
        const [, scopes] = PEOPLES_TOKEN.exec(part) ?? [undefined, "none"];
        return scopes === undefined || scopes.split("+").every(isScope);
      }),
    "is not a comma list of TOKEN or SCOPES:TOKEN, with scopes of classify, read, override like classify+read",
  ).transform((parts): readonly AccessToken[] =>
    parts.map((part) => {
      const [, scopes = "classify+read", token = ""] = PEOPLES_TOKEN.exec(part) ?? [];
      return { token, scopes: scopes.split("+").filter(isScope) };
    })
  );

/** US dollars for a million tokens. */
export interface ModelPrice {
  /** A model's name or how it begins; the longest that fits counts. */
  readonly model: string;
  readonly inputUsd: number;
  /** Input that comes from the provider's cache; the same as other input where it is not known. */
  readonly cachedInputUsd?: number;
  readonly outputUsd: number;
}

export const prices = () =>
  list().refine(
    (parts) => parts.every((part) => /^[^=]+=\d*\.?\d+(?:\/\d*\.?\d+){1,2}$/.test(part)),
    "is not a list like gpt-6-luna=0.10/0.50 or, with cached input between, gpt-6-luna=0.10/0.01/0.50",
  ).transform((parts): readonly ModelPrice[] =>
    parts.map((part) => {
      const [model = "", both = ""] = part.split("=");
      const [input, ...rest] = both.split("/").map(Number);
      const [cached, output] = rest.length === 2 ? rest : [undefined, rest[0]];
      const price = { model, inputUsd: input ?? 0, outputUsd: output ?? 0 };
      return cached === undefined ? price : { ...price, cachedInputUsd: cached };
    })
  );

export const urls = () =>
  list().refine(
    (parts) =>
      parts.length > 0 && parts.every((part) => URL.canParse(part) && /^(https?|dns\+srv):/.test(part)),
    "is not a comma list of http://, https:// or dns+srv:// URLs",
  ).refine(
    (parts) => parts.every((part) => !part.startsWith("dns+srv:") || /^dns\+srv:\/\/[^/:]+(\/|$)/.test(part)),
    "is not like dns+srv://_service._tcp.name: a name without a port, as ports are in the SRV records",
  ).refine(
    (parts) =>
      parts.every((part) => !URL.canParse(part) || new URL(part).username + new URL(part).password === ""),
    "has a user or password in a URL: workers are told a token, by WORKER_TOKEN",
  ).transform((parts) => parts.map((part) => new URL(part)));

export const dnsServer = () =>
  text().refine(
    (value) => isIP(dnsServerOf(value).address) !== 0 && dnsServerOf(value).port <= 65_535,
    "is not an address like 127.0.0.1:53",
  ).transform(dnsServerOf);

function dnsServerOf(value: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(value) ?? [];
  return { address: bracketed ?? plain ?? "", port: Number(port ?? 53) };
}
