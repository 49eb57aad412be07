// The columns of exports as they come, and what is said of one that lacks some.

import assert from "node:assert/strict";
import { columnsOf, flat, ticketOf } from "../../../../../local/produce/tickets/ticket_columns.ts";
import { UsageError } from "../../../../../shared/process/command_line.ts";

const EXPORTS: Readonly<
  Record<string, readonly [header: string, id: string, subject: string, body: string]>
> = {
  Zendesk: ["Summation column,Id,Subject,Description,Status,Requester", "Id", "Subject", "Description"],
  Freshdesk: ["Ticket ID,Subject,Description,Status,Priority,Group", "Ticket ID", "Subject", "Description"],
  Jira: ["Summary,Issue key,Issue id,Issue Type,Status,Description", "Issue key", "Summary", "Description"],
  HubSpot: [
    "Ticket ID,Ticket name,Pipeline,Ticket description",
    "Ticket ID",
    "Ticket name",
    "Ticket description",
  ],
  "HubSpot by record": [
    "Record ID,Ticket name,Ticket status,Ticket description",
    "Record ID",
    "Ticket name",
    "Ticket description",
  ],
  Intercom: [
    "Conversation ID,Conversation title,Teammate,First message",
    "Conversation ID",
    "Conversation title",
    "First message",
  ],
  "Intercom's tickets": [
    "Ticket ID,Ticket title,Ticket description",
    "Ticket ID",
    "Ticket title",
    "Ticket description",
  ],
  Salesforce: ["Case Number,Subject,Description,Account Name", "Case Number", "Subject", "Description"],
  ServiceNow: ["Number,Short description,Description,Caller", "Number", "Short description", "Description"],
  GitHub: ["number,title,body,state", "number", "title", "body"],
};

for (const [name, [header, id, subject, body]] of Object.entries(EXPORTS)) {
  Deno.test(`columnsOf() knows an export of ${name}`, () => {
    assert.deepEqual(columnsOf(header.split(","), {}), { id, subject, body });
  });
}

Deno.test("columnsOf() finds the columns of Intercom's JSON, which has them inside", () => {
  const row = flat({ id: "21", source: { subject: "Hello", body: "<p>It broke</p>" } });
  const columns = columnsOf(Object.keys(row), {});
  assert.deepEqual(columns, { id: "id", subject: "source.subject", body: "source.body" });
  assert.deepEqual(ticketOf(row, columns), { ticket_id: "21", subject: "Hello", body: "<p>It broke</p>" });
});

Deno.test("columnsOf() says which flag is missing, and that the subject may be all the text", () => {
  assert.throws(
    () => columnsOf(["Id", "Subject", "Status"], {}),
    new UsageError(
      'No column for body among Id, Subject, Status: name it with --body COLUMN (--body "Subject" where there is no other text)',
    ),
  );
  assert.deepEqual(columnsOf(["Id", "Subject"], { body: "Subject" }), {
    id: "Id",
    subject: "Subject",
    body: "Subject",
  });
});
