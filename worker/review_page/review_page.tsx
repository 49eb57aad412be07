// The review page: tickets whose label is uncertain, one after the other, with what humans decided so far.

import { Head } from "../../shared/page/document_head.tsx";
import type { LabelAccuracy, OverrideEntry, ReviewEntry, TicketText } from "../core/review_store.ts";

/** What is shown. */
export interface ReviewPageProps {
  /** Least certain first. */
  readonly entries: readonly ReviewEntry[];
  /** By ticket; undefined where they may not be read. */
  readonly texts: ReadonlyMap<string, TicketText> | undefined;
  /** Names of the taxonomy, in its order: the first nine have a key each. */
  readonly labels: readonly string[];
  readonly below: number;
  readonly overrides: readonly OverrideEntry[];
  readonly accuracy: readonly LabelAccuracy[];
  /** There is a session to end. */
  readonly canLogOut: boolean;
}

const KEYS = 9;

/** The whole document, as text. Everything in it is escaped. */
export function reviewPage(props: ReviewPageProps): string {
  return `<!doctype html>${<ReviewPage {...props} />}`;
}

function ReviewPage(props: ReviewPageProps) {
  const { entries, texts, labels, below, canLogOut } = props;
  return (
    <html lang="en">
      <Head title="Review · Ackpool" scripts={["review.js"]} />
      <body>
        <a class="skip" href="#content">To the content</a>
        <header>
          <strong class="brand">Ackpool</strong>
          <span class="group">Review of labels</span>
          {canLogOut && (
            <form method="post" action="/logout">
              <button type="submit" class="quiet">Log out</button>
            </form>
          )}
        </header>
        <main id="content" tabindex={-1}>
          <h1 class="hidden">Review</h1>
          <p>
            <label>
              Who decides <input id="by" autocomplete="name" maxlength={200} required />
            </label>
          </p>
          <p id="said" role="status"></p>
          <p id="left" class="note">{leftText(entries.length, below)}</p>
          {entries.map((entry, index) => (
            <Ticket
              entry={entry}
              text={texts?.get(entry.ticketId)}
              readable={texts !== undefined}
              labels={labels}
              hidden={index > 0}
            />
          ))}
          <p class="note">
            Keys: 1 to {Math.min(KEYS, labels.length)} choose, Enter confirms, → goes on without a decision.
          </p>
          <Decided {...props} />
        </main>
      </body>
    </html>
  );
}

const leftText = (count: number, below: number) =>
  count === 0
    ? `No label is less certain than ${Math.round(below * 100)}%.`
    : `${count} on this page, the least certain first.`;

interface TicketProps {
  readonly entry: ReviewEntry;
  readonly text: TicketText | undefined;
  readonly readable: boolean;
  readonly labels: readonly string[];
  readonly hidden: boolean;
}

function Ticket({ entry, text, readable, labels, hidden }: TicketProps) {
  const { ticketId, category, confidence, reason } = entry;
  return (
    <article
      class="ticket"
      data-ticket={ticketId}
      data-label={category}
      hidden={hidden}
      aria-label={`Ticket ${ticketId}`}
    >
      <div class="said">
        <h2>{text?.subject ?? "(no subject)"}</h2>
        <pre
          tabindex={0}
        >{text?.body ?? (readable ? "(no text)" : "The worker's role may not read the ticket's text.")}</pre>
      </div>
      <div class="choice">
        <p>
          Ticket {ticketId}: <strong>{category}</strong>, {Math.round(confidence * 100)}% sure
          {reason !== null && <>, because: {reason}</>}
        </p>
        <div class="buttons" role="group" aria-label="Labels">
          {labels.map((label, index) => (
            <button
              type="button"
              data-choose={label}
              aria-pressed={label === category ? "true" : "false"}
              aria-keyshortcuts={index < KEYS ? String(index + 1) : undefined}
            >
              {index < KEYS && <kbd>{index + 1}</kbd>} {label}
            </button>
          ))}
        </div>
        <div class="buttons">
          <button type="button" data-confirm aria-keyshortcuts="Enter">Confirm</button>
          <button type="button" data-skip class="quiet" aria-keyshortcuts="ArrowRight">Later</button>
        </div>
      </div>
    </article>
  );
}

function Decided({ overrides, accuracy }: ReviewPageProps) {
  return (
    <>
      {accuracy.length > 0 && (
        <section aria-labelledby="accuracy">
          <h2 id="accuracy">How often the model was right, where a human looked</h2>
          <div class="scroll" tabindex={0} role="region" aria-label="Accuracy by label">
            <table>
              <thead>
                <tr>
                  <th scope="col">Label</th>
                  <th scope="col">Right</th>
                  <th scope="col">Looked at</th>
                </tr>
              </thead>
              <tbody>
                {accuracy.map(({ category, right, reviewed }) => (
                  <tr>
                    <th scope="row">{category}</th>
                    <td>{Math.round(right / reviewed * 100)}%</td>
                    <td>{right} of {reviewed}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {overrides.length > 0 && (
        <section aria-labelledby="overrides">
          <h2 id="overrides">Decided last</h2>
          <div class="scroll" tabindex={0} role="region" aria-label="Decisions">
            <table>
              <thead>
                <tr>
                  <th scope="col">Ticket</th>
                  <th scope="col">Label</th>
                  <th scope="col">The model said</th>
                  <th scope="col">By</th>
                  <th scope="col">When</th>
                  <th scope="col">Undo</th>
                </tr>
              </thead>
              <tbody>
                {overrides.map(({ ticketId, category, modelCategory, by, at }) => (
                  <tr>
                    <th scope="row">{ticketId}</th>
                    <td>{category}</td>
                    <td>{modelCategory ?? "-"}</td>
                    <td>{by}</td>
                    <td>{at.slice(0, 19).replace("T", " ")} UTC</td>
                    <td>
                      <button
                        type="button"
                        class="quiet"
                        data-undo={ticketId}
                        aria-label={`Undo: ticket ${ticketId} is not ${category}`}
                      >
                        Undo
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </>
  );
}
