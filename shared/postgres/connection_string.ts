// The Postgres connection string as libpq, Prisma, JDBC and the hosting vendors print it, read as what it means. Pure.

/** How much the connection's encryption has to prove. `prefer` takes what the server has. */
export type TlsMode = "off" | "prefer" | "require" | "verify-ca" | "verify-full";

/** One server. Absent parts fall to PGHOST, PGPORT and their defaults. */
export interface PostgresHost {
  readonly host?: string;
  readonly port?: number;
  /** A Unix socket in place of host and port. */
  readonly path?: string;
}

/** Which database, and how to reach it. */
export interface PostgresTarget {
  /** Tried in this order; the first that takes writes is used. */
  readonly hosts: readonly PostgresHost[];
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly tls: TlsMode;
  /** PEM files. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly keyPassphrase?: string;
  /** TLS without asking first (PostgreSQL 17). */
  readonly directTls: boolean;
  /** It says that a pooler is in between which keeps no prepared statements. */
  readonly pooled: boolean;
  readonly connectionsMax?: number;
  readonly connectTimeoutS?: number;
  readonly applicationName?: string;
  /** Where unqualified tables are. */
  readonly schema?: string;
  /** Sent to the server as written (`endpoint=…` at Neon, `-c name=value`). */
  readonly options?: string;
  /** What cannot be done as it is written, in words for a log. Holds no value of the string. */
  readonly notes: readonly string[];
}

/** The string cannot be used. Its message is the rest of a sentence about the variable, and shows nothing of its value. */
export class ConnectionStringError extends Error {
  override readonly name = "ConnectionStringError";
}

const SCHEME = /^(?:jdbc:)?(?:postgres|postgresql|postgis)(?:\+\w+)?:\/\//i;
/** User and password, hosts, database, parameters: as libpq cuts them. */
const PARTS = /^(?:([^/?]*)@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/s;
const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/;
const ENCODE = "write characters like @ / ? # % in its password percent-encoded, such as %40 for @";
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** Of other programs, or without a meaning here: the connection is the same without them. */
const WITHOUT_EFFECT = new Set(
  (
    "keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout tcpkeepalive krbsrvname gsslib " +
    "gssdelegation sslsni sslcompression sslcertmode min_protocol_version max_protocol_version " +
    "ssl_min_protocol_version ssl_max_protocol_version load_balance_hosts loadbalancehosts pool_timeout supa workaround " +
    "uselibpqcompat pool_mode single_use_connections idle_timeout max_lifetime socket_timeout sockettimeout " +
    "rewritebatchedinserts stringtype assumeminserverversion binarytransfer logunclosedconnections fetch_types " +
    "fallback_application_name client_encoding charset encoding max_client_conn"
  ).split(" "),
);

/**
 * Reads a connection string, or libpq's `name=value` form.
 *
 * @throws {ConnectionStringError} saying what is wrong.
 */
export function parseConnectionString(text: string): PostgresTarget {
  const { hosts, user, password, database, parameters } = cut(text.trim());
  const notes: string[] = [];
  const take = (...names: string[]) => {
    const values = names.map((name) => parameters.get(name));
    for (const name of names) parameters.delete(name);
    return values.find((value) => value !== undefined && value !== "");
  };
  const named = take("host") ?? hosts;
  const address = take("hostaddr") ?? "";
  const servers = hostsOf(named === "" ? address : named, take("port"));
  refuseWhatCannotBe(take);
  const target = {
    hosts: servers,
    ...given({
      user: take("user") ?? user,
      password: take("password") ?? password,
      database: take("dbname") ?? database,
      applicationName: take("application_name", "applicationname"),
      schema: schemaOf(take("schema", "currentschema")),
      options: take("options"),
      connectionsMax: wholeOf(take("connection_limit", "max")),
      connectTimeoutS: wholeOf(take("connect_timeout", "connecttimeout", "logintimeout")),
    }),
    ...tlsOf(take, servers, notes),
    pooled: pooledOf(take),
  };
  for (const name of parameters.keys()) {
    if (!WITHOUT_EFFECT.has(name)) notes.push(noteOn(name));
  }
  return { ...target, notes };
}

/** Hosts and database, for people; no user and no password. */
export function describeTarget({ hosts, database }: PostgresTarget): string {
  const names = hosts.map(({ host = "localhost", port, path }) =>
    path ?? (port === undefined ? host : `${host}:${port}`)
  );
  return database === undefined ? names.join(",") : `${names.join(",")}/${database}`;
}

type Take = (...names: string[]) => string | undefined;

function cut(text: string) {
  if (!SCHEME.test(text)) return cutKeywords(text);
  const [, credentials, hosts = "", database, query = ""] = PARTS.exec(text.replace(SCHEME, "")) ?? [];
  // A character of the password has ended the hosts; what follows must not be taken for names.
  const inQuery = credentials === undefined && query.includes("@") && !/(^|&)user=/i.test(query);
  if (inQuery || database?.includes("@")) throw new ConnectionStringError(`cannot be read: ${ENCODE}`);
  const [user, password] = splitOnce(credentials ?? "", ":");
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((each) => each !== "")) {
    const [name, value = ""] = splitOnce(pair, "=");
    if (!PARAMETER_NAME.test(name)) throw new ConnectionStringError(`cannot be read: ${ENCODE}`);
    parameters.set(name.toLowerCase(), decoded(value));
  }
  return {
    hosts: decoded(hosts),
    user: user === "" ? undefined : decoded(user),
    password: password === undefined ? undefined : decoded(password),
    database: database ? decoded(database) : undefined,
    parameters,
  };
}

/** `host=db.example dbname='my db'`, as psql takes it. */
function cutKeywords(text: string) {
  const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))\s*/y;
  const parameters = new Map<string, string>();
  while (pair.lastIndex < text.length) {
    const [, name, quoted, plain = ""] = pair.exec(text) ?? [];
    if (name === undefined) {
      throw new ConnectionStringError("is not a URL that starts with postgres:// or postgresql://");
    }
    parameters.set(name.toLowerCase(), (quoted ?? plain).replaceAll(/\\(.)/gs, "$1"));
  }
  return { hosts: "", user: undefined, password: undefined, database: undefined, parameters };
}

function hostsOf(names: string, ports: string | undefined): readonly PostgresHost[] {
  const portList = ports?.split(",") ?? [];
  return names.split(",").map((each, at) => {
    const [, bracketed, plain, ownPort] =
      /^(?:\[([0-9A-Fa-f:.%]+)\]|(\/.*|[^[\]:]*))(?::(.*))?$/.exec(each) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined && !each.includes("::")) {
      throw new ConnectionStringError(`has a host that is none: ${ENCODE}`);
    }
    const port = portOf(ownPort ?? portList[at] ?? portList[0]);
    if (host?.startsWith("/")) return { path: `${host}/.s.PGSQL.${port ?? 5432}` };
    return given({ host: (host ?? each) === "" ? undefined : host ?? each, port });
  });
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port === 0 || port > 65_535) throw new ConnectionStringError(`has a port that is none: ${ENCODE}`);
  return port;
}

function refuseWhatCannotBe(take: Take): void {
  const refuse = (reason: string) => {
    throw new ConnectionStringError(reason);
  };
  const server = take("target_session_attrs", "targetservertype")?.toLowerCase();
  if (server !== undefined && !/^(any|read-write|primary|master|prefer-?primary)$/.test(server)) {
    refuse("asks for a server that takes no writes (target_session_attrs): labels are written");
  }
  if (take("gssencmode") === "require") {
    refuse("has gssencmode=require, which is not possible here: take TLS, sslmode=require");
  }
  if (take("service", "servicefile") !== undefined) {
    refuse("has service=, which is not read here: write host, user and database");
  }
  if (take("passfile") !== undefined) {
    refuse("has passfile=, which is not read here: write the password, or set PGPASSWORD");
  }
  if (!/^(false|0|off|no)?$/.test(take("replication") ?? "")) {
    refuse("has replication=, which is not for statements");
  }
  if (take("sslidentity") !== undefined) {
    refuse("has sslidentity= (PKCS#12): take sslcert and sslkey with PEM files");
  }
}

const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  disable: "off",
  allow: "prefer",
  prefer: "prefer",
  require: "require",
  "no-verify": "require",
  "verify-ca": "verify-ca",
  "verify-full": "verify-full",
};

function tlsOf(take: Take, hosts: readonly PostgresHost[], notes: string[]) {
  const stated = statedTls(take);
  const [root, cert, key] = [take("sslrootcert"), take("sslcert"), take("sslkey")];
  const keyPassphrase = take("sslpassword");
  // Prisma calls the authority's certificate sslcert; a client's own comes with its key.
  const caFile = root === "system" ? undefined : root ?? (key === undefined ? cert : undefined);
  let tls: TlsMode = stated ?? "prefer";
  if (root === "system") tls = "verify-full";
  else if (caFile !== undefined && tls === "require") tls = "verify-ca";
  if (take("channel_binding") === "require") {
    tls = withChannelBinding(tls, caFile !== undefined, hosts, notes);
  }
  if (take("sslcrl", "sslcrldir") !== undefined) {
    notes.push("revoked certificates (sslcrl) are not looked up");
  }
  const directTls = take("sslnegotiation") === "direct";
  return {
    tls: directTls && tls === "prefer" ? "require" as const : tls,
    directTls,
    ...given({ caFile, certFile: key === undefined ? undefined : cert, keyFile: key, keyPassphrase }),
  };
}

function statedTls(take: Take): TlsMode | undefined {
  const [mode, ssl, accept] = [take("sslmode"), take("ssl", "tls"), take("sslaccept")];
  const unchecked = take("sslfactory")?.endsWith("NonValidatingFactory") === true ||
    accept === "accept_invalid_certs";
  const old = take("requiressl") === "1" ? "require" : undefined;
  if (mode !== undefined) {
    const known = TLS_MODES[mode.toLowerCase()];
    if (known === undefined) {
      throw new ConnectionStringError(`has an sslmode that is none of ${Object.keys(TLS_MODES).join(", ")}`);
    }
    return accept === "strict" && known === "require" ? "verify-full" : known;
  }
  if (ssl === undefined) return unchecked ? "require" : old;
  if (/^(false|0|off|no)$/i.test(ssl)) return "off";
  if (/^(true|1|on|yes)$/i.test(ssl)) return unchecked ? "require" : "verify-full";
  return TLS_MODES[ssl.toLowerCase()] ?? "verify-full";
}

/** The driver has no channel binding. A certificate that is verified proves the same: nobody is in between. */
function withChannelBinding(
  tls: TlsMode,
  ownCa: boolean,
  hosts: readonly PostgresHost[],
  notes: string[],
): TlsMode {
  if (tls === "off") {
    throw new ConnectionStringError(
      "has channel_binding=require and sslmode=disable, which exclude each other",
    );
  }
  if (hosts.every(({ host, path }) => path !== undefined || LOOPBACK.test(host ?? "localhost"))) {
    notes.push("channel_binding=require is not needed on this machine itself");
    return tls;
  }
  notes.push("in place of channel_binding=require the server's certificate is verified");
  return ownCa ? (tls === "verify-full" ? tls : "verify-ca") : "verify-full";
}

function pooledOf(take: Take): boolean {
  const isOff = (value: string | undefined) => value !== undefined && /^(false|0|off|no)$/i.test(value);
  const bouncer = take("pgbouncer");
  const unprepared = [
    take("statement_cache_size"),
    take("prepared_statement_cache_size"),
    take("preparethreshold"),
    take("prepare"),
  ];
  const simple = take("preferquerymode") === "simple";
  return (bouncer !== undefined && !isOff(bouncer)) || simple || unprepared.some(isOff);
}

function noteOn(name: string): string {
  return /timeout$/.test(name)
    ? `${name} is not read: DATABASE_TIMEOUT_MS limits a statement's time`
    : `${name} is not known and not used`;
}

function schemaOf(text: string | undefined): string | undefined {
  return text?.split(",")[0]?.trim().replace(/^"(.*)"$/, "$1");
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}

function splitOnce(text: string, by: string): [string, string | undefined] {
  const at = text.indexOf(by);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionStringError(`cannot be read: ${ENCODE}`);
  }
}

/** The object without what is undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
