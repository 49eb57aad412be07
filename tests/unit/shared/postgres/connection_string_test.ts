// Connection strings as vendors print them: what each means, and what is refused in which words.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ConnectionStringError,
  parseConnectionString,
  type PostgresTarget,
} from "../../../../shared/postgres/connection_string.ts";

/** What a string means, without what is as always. */
function meaning(text: string): Partial<PostgresTarget> {
  const { directTls, pooled, notes, tls, ...rest } = parseConnectionString(text);
  return {
    ...rest,
    ...(tls === "prefer" ? {} : { tls }),
    ...(directTls ? { directTls } : {}),
    ...(pooled ? { pooled } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

const db = (host: string, port?: number) => ({
  hosts: [port === undefined ? { host } : { host, port }],
  user: "u",
  password: "p",
  database: "d",
});

const UNDERSTOOD: Readonly<Record<string, Partial<PostgresTarget>>> = {
  "postgres://u:p@h:5433/d": db("h", 5433),
  "postgresql://u:p@h/d?sslmode=disable": { ...db("h"), tls: "off" },
  "postgresql://u:p@h/d?sslmode=prefer&channel_binding=require": {
    ...db("h"),
    tls: "verify-full",
    notes: ["in place of channel_binding=require the server's certificate is verified"],
  },
  "postgresql://u:p@127.0.0.1:5432/d?sslmode=prefer&channel_binding=require": {
    ...db("127.0.0.1", 5432),
    notes: ["channel_binding=require is not needed on this machine itself"],
  },
  "postgres://u:p@h:6543/d?pgbouncer=true&connection_limit=1": {
    ...db("h", 6543),
    pooled: true,
    connectionsMax: 1,
  },
  "postgres://u:p@h/d?gssencmode=disable": db("h"),
  "postgres://u:p@h/d?schema=public": { ...db("h"), schema: "public" },
  "jdbc:postgresql://h/d?user=u&password=p&currentSchema=Support,public&ssl=true": {
    ...db("h"),
    schema: "Support",
    tls: "verify-full",
  },
  "jdbc:postgresql://h/d?user=u&password=p&ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory": {
    ...db("h"),
    tls: "require",
  },
  "postgresql+asyncpg://u:p@h/d?prepared_statement_cache_size=0": { ...db("h"), pooled: true },
  "postgres://u:p@ep-x-pooler.eu.aws.neon.tech/d?sslmode=require&options=endpoint%3Dep-x": {
    ...db("ep-x-pooler.eu.aws.neon.tech"),
    tls: "require",
    options: "endpoint=ep-x",
  },
  "postgres://postgres.abc:p@aws-0-eu.pooler.supabase.com:6543/d?supa=base-pooler.x": {
    ...db("aws-0-eu.pooler.supabase.com", 6543),
    user: "postgres.abc",
  },
  "postgres://u:p@x.rds.amazonaws.com/d?sslmode=verify-full&sslrootcert=/etc/rds.pem": {
    ...db("x.rds.amazonaws.com"),
    tls: "verify-full",
    caFile: "/etc/rds.pem",
  },
  "postgres://u:p@h/d?sslmode=require&sslrootcert=ca.pem": { ...db("h"), tls: "verify-ca", caFile: "ca.pem" },
  "postgres://u:p@h/d?sslrootcert=system": { ...db("h"), tls: "verify-full" },
  "postgres://u:p@h/d?sslmode=require&sslcert=c.pem&sslkey=k.pem&sslpassword=x": {
    ...db("h"),
    tls: "require",
    certFile: "c.pem",
    keyFile: "k.pem",
    keyPassphrase: "x",
  },
  "postgres://u:p@h/d?sslcert=ca.pem&sslmode=require&sslaccept=strict": {
    ...db("h"),
    tls: "verify-full",
    caFile: "ca.pem",
  },
  "postgres://u:p@h/d?sslmode=no-verify": { ...db("h"), tls: "require" },
  "postgres://u:p@h/d?application_name=desk&connect_timeout=15": {
    ...db("h"),
    applicationName: "desk",
    connectTimeoutS: 15,
  },
  "postgres://u:p@a:1,b:2/d?target_session_attrs=read-write": {
    ...db("a"),
    hosts: [{ host: "a", port: 1 }, { host: "b", port: 2 }],
  },
  "postgres://u:p@a,b:2/d": { ...db("a"), hosts: [{ host: "a" }, { host: "b", port: 2 }] },
  "postgres://u:p@[::1]:5433/d": db("::1", 5433),
  "postgres://u:p@%2Fvar%2Frun%2Fpostgresql/d": {
    ...db("h"),
    hosts: [{ path: "/var/run/postgresql/.s.PGSQL.5432" }],
  },
  "postgres://u:p@/d?host=/cloudsql/project:region:one": {
    ...db("h"),
    hosts: [{ path: "/cloudsql/project:region:one/.s.PGSQL.5432" }],
  },
  "postgres://u:p%40%2F%3Fss%25@h/d": { ...db("h"), password: "p@/?ss%" },
  "postgres://u:p@#s@h/d": { ...db("h"), password: "p@#s" },
  "postgres://me%40server:p@h/d": { ...db("h"), user: "me@server" },
  "host=h port=5433 dbname='my d' user=u password=it\\'s sslmode=require": {
    ...db("h", 5433),
    database: "my d",
    password: "it's",
    tls: "require",
  },
  "postgres://u:p@h/d?statement_timeout=5000&colour=red": {
    ...db("h"),
    notes: [
      "statement_timeout is not read: DATABASE_TIMEOUT_MS limits a statement's time",
      "colour is not known and not used",
    ],
  },
  "postgres:///": { hosts: [{}] },
};

Deno.test("parseConnectionString() reads what vendors print as what it means", async (test) => {
  for (const [text, expected] of Object.entries(UNDERSTOOD)) {
    await test.step(text, () => assert.deepEqual(meaning(text), expected));
  }
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  "mysql://u:p@h/d": /postgres:\/\//,
  "postgres://u:pa/ss@h/d": /percent-encoded/,
  "postgres://u:12/ss@h/d": /percent-encoded/,
  "postgres://u:pa?ss@h/d": /percent-encoded/,
  "postgres://u:12?ss@h/d": /percent-encoded/,
  "postgres://u:12?token=ss@h/d": /percent-encoded/,
  "postgres://u:100%@h/d": /percent-encoded/,
  "postgres://u:p@h:70000/d": /port/,
  "postgres://u:p@h/d?sslmode=on": /sslmode that is none of/,
  "postgres://u:p@h/d?sslmode=disable&channel_binding=require": /exclude each other/,
  "postgres://u:p@h/d?target_session_attrs=read-only": /takes no writes/,
  "postgres://u:p@h/d?targetServerType=secondary": /takes no writes/,
  "postgres://u:p@h/d?gssencmode=require": /gssencmode/,
  "postgres:///?service=prod": /service=/,
  "postgres://u:p@h/d?sslidentity=me.p12": /PEM/,
};

Deno.test("parseConnectionString() refuses the rest in words", async (test) => {
  for (const [text, expected] of Object.entries(REFUSED)) {
    await test.step(text, () => {
      assert.throws(() => parseConnectionString(text), (error) => {
        assert.ok(error instanceof ConnectionStringError);
        assert.match(error.message, expected);
        return true;
      });
    });
  }
});

Deno.test("parseConnectionString() gives a percent-encoded password back and shows it nowhere else", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 6 }),
      fc.constantFrom("", "?sslmode=x", "?a=b"),
      (password, end) => {
        const text = `postgres://u:${encodeURIComponent(password)}@h/d${end}`;
        try {
          const { password: read, notes } = parseConnectionString(text);
          assert.equal(read, password);
          assert.ok(!notes.join().includes(password));
        } catch (error) {
          assert.ok(error instanceof ConnectionStringError && !error.message.includes(password));
        }
      },
    ),
  );
});

Deno.test("parseConnectionString() never shows a password, however badly it is written", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z]{3}[@/?#%&=:]{1,3}[a-z0-9]{8}$/), (password) => {
    const shown = () => {
      try {
        return parseConnectionString(`postgres://u:${password}@h/d`).notes.join();
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    };
    assert.ok(!shown().includes(password.slice(-8)), shown());
  }));
});
