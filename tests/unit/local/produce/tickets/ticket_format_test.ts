// Files of tickets as people have them: JSON Lines, JSON documents and CSV, with columns of any name.

import assert from "node:assert/strict";
import type { AskedColumns } from "../../../../../local/produce/tickets/ticket_columns.ts";
import { until } from "../../../../support/until.ts";
import { readTickets } from "../../../../../local/produce/tickets/ticket_format.ts";

/** Tickets as `[id, subject, body]`, and problems as text. */
async function read(
  content: string | Uint8Array,
  name = "tickets",
  asked: AskedColumns = {},
): Promise<unknown[]> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const pieces = ReadableStream.from([bytes.slice(0, 7), bytes.slice(7)].filter(({ length }) => length > 0));
  const lines = await Array.fromAsync(readTickets(pieces, name, asked));
  return lines.map((line) =>
    line.kind === "bad"
      ? `${line.line}: ${line.problem}`
      : [line.ticket.ticket_id, line.ticket.subject, line.ticket.body]
  );
}

Deno.test("readTickets() reads CSV with quotes, line ends inside and any of three delimiters", async () => {
  const text = 'id,subject,description\nHD-00001,"Charged ""twice""","one\ntwo, three"\nHD-00002,B,b\n';
  const expected = [["HD-00001", 'Charged "twice"', "one\ntwo, three"], ["HD-00002", "B", "b"]];
  assert.deepEqual(await read(text), expected);
  assert.deepEqual(await read(text.replaceAll("\n", "\r\n").replace("one\r\ntwo", "one\ntwo")), expected);
  assert.deepEqual(await read("id;subject;body\n1;a, b;c\n"), [["1", "a, b", "c"]]);
  assert.deepEqual(await read("id\tsubject\tbody\n1\ta;b\tc\n"), [["1", "a;b", "c"]]);
});

Deno.test("readTickets() knows the columns of common exports", async () => {
  const exports = {
    zendesk: "ID,Requester,Subject,Description,Status\n7,ann,S,B,open\n",
    jira: "Summary,Issue key,Issue id,Description\nS,7,10001,B\n",
    hubspot: "Ticket ID,Ticket name,Ticket description\n7,S,B\n",
    salesforce: "Case Number,Subject,Description\n7,S,B\n",
    serviceNow: "number,short_description,description\n7,S,B\n",
    github: '[{"id":912,"number":"7","title":"S","body":"B"}]',
    zendeskApi: '{"count":1,"tickets":[{"id":"7","subject":"S","description":"B"}]}',
    jiraApi: '{"issues":[{"id":"9","key":"7","fields":{"summary":"S","description":"B"}}]}',
  };
  for (const [name, text] of Object.entries(exports)) {
    assert.deepEqual(await read(text), [["7", "S", "B"]], name);
  }
});

Deno.test("readTickets() takes the columns that are asked for, however they are spelt", async () => {
  const text = "nr,Title,Text,body\n1,t,x,y\n";
  assert.deepEqual(await read(text, "a.csv", { id: "nr", subject: "title", body: "Text" }), [[
    "1",
    "t",
    "x",
  ]]);
  const json = '{"nr":1,"q":{"title":"t"},"x":"y"}\n';
  assert.deepEqual(await read(json, "a", { id: "nr", subject: "q.title", body: "x" }), [[1, "t", "y"]]);
});

Deno.test("readTickets() says which column is missing, and how to name it", async () => {
  await assert.rejects(
    read("nr,title,remark\n1,a,b\n"),
    /No column for id, body among nr, title, remark: .*--id COLUMN --body COLUMN/,
  );
  await assert.rejects(
    read("id,subject,body\n1,a,b\n", "a", { body: "txt" }),
    /There is no column txt \(--body\)/,
  );
});

Deno.test("readTickets() reads a JSON array, pretty-printed or not, and JSON Lines in our own spelling as they are", async () => {
  const rows = [{ ticket_id: 1, subject: "a", body: "b", team: "x" }];
  assert.deepEqual(await read(JSON.stringify(rows)), [[1, "a", "b"]]);
  assert.deepEqual(await read(JSON.stringify(rows, null, 2), "a.json"), [[1, "a", "b"]]);
  const own = '{"ticket_id":1,"subject":"a","body":"b","team":"x"}';
  const [line] = await Array.fromAsync(
    readTickets(ReadableStream.from([new TextEncoder().encode(own)]), "a", {}),
  );
  assert.equal(line?.kind === "ticket" && line.text, own);
});

Deno.test("readTickets() tells bad rows by their line and reads the others", async () => {
  assert.deepEqual(
    await read(
      '{"ticket_id":1,"subject":"a"}\n\nnonsense\n{"ticket_id":2,"subject":"a","body":"b"}\n',
      "a.jsonl",
    ),
    [
      "1: body: is missing",
      "3: is not JSON",
      [2, "a", "b"],
    ],
  );
  assert.deepEqual(await read('id,subject,body\n1,"a\nb",c\n2,only\n3,d,e\n'), [
    ["1", "a\nb", "c"],
    "4: body: is missing",
    ["3", "d", "e"],
  ]);
});

Deno.test("readTickets() reads what Excel writes: a mark, UTF-16, Windows-1252", async () => {
  const expected = [["1", "Grüße", "x"]];
  assert.deepEqual(await read("\ufeffid,subject,body\n1,Grüße,x\n"), expected);
  const utf16 = new Uint8Array(
    new Uint16Array([..."\ufeffid,subject,body\n1,Grüße,x\n"].map((each) => each.charCodeAt(0))).buffer,
  );
  const ansi = Uint8Array.from("id,subject,body\n1,Grüße,x\n", (each) => each.charCodeAt(0));
  const whole = async (bytes: Uint8Array) => {
    const [line] = await Array.fromAsync(readTickets(ReadableStream.from([bytes]), "a.csv", {}));
    return line?.kind === "ticket" && line.ticket.subject;
  };
  assert.deepEqual([await whole(utf16), await whole(ansi)], ["Grüße", "Grüße"]);
});

Deno.test("readTickets() throws what its file throws half way, and closes a file it will not read to its end", async () => {
  const header = new TextEncoder().encode("id,subject,body\n1,a,b\n");
  const broken = (async function* () {
    yield header;
    throw new Error("the disk is gone");
  })();
  await assert.rejects(Array.fromAsync(readTickets(broken, "a.csv", {})), /the disk is gone/);
  let closed = false;
  const foreign = (async function* () {
    try {
      for (;;) yield new TextEncoder().encode("x,y,z\n1,2,3\n");
    } finally {
      closed = true;
    }
  })();
  await assert.rejects(Array.fromAsync(readTickets(foreign, "a.csv", {})), /No column for id/);
  await until("the end of the file", () => closed);
});

Deno.test("readTickets() says why a CSV cannot be read, and nothing of an empty file", async () => {
  await assert.rejects(
    read('id,subject,body\n1,a,b\n2,"never closed,b\n3,c,d\n'),
    /^StartError: The CSV cannot be read: Quote Not Closed/,
  );
  assert.deepEqual(await read(""), []);
});
