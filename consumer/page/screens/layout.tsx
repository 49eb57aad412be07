// Layout: what all screens have around them, and the banner that says how things are.

import type { Child } from "hono/jsx";
import type { WhyJson } from "../../core/why/why.ts";
import { Head } from "../../../shared/page/document_head.tsx";
import { moment } from "../words.ts";

/** A screen's name in addresses, and what it is called. */
export const SCREENS = {
  now: "Now",
  partitions: "Partitions",
  pool: "Pool",
  tickets: "Tickets",
  "dead-letters": "Dead letters",
} as const;

/** One of them. */
export type ScreenName = keyof typeof SCREENS;

/** Where a screen is. */
export const pathOf = (name: ScreenName) => name === "now" ? "/" : `/page/${name}`;

interface LayoutProps {
  readonly screen: ScreenName;
  readonly group: string;
  /** There is a session to end. */
  readonly canLogOut: boolean;
  readonly children?: Child;
}

/** The whole document. It names no other host and holds no script or style of its own. */
export function Layout({ screen, group, canLogOut, children }: LayoutProps) {
  return (
    <html lang="en">
      <Head title={`${SCREENS[screen]} · ${group}`} styles={["uplot.css"]} scripts={["page.js"]} />
      <body>
        <a class="skip" href="#content">To the content</a>
        <header>
          <strong class="brand">Ackpool</strong>
          <span class="group" title="Consumer group">{group}</span>
          <nav aria-label="Screens">
            {Object.entries(SCREENS).map(([name, title]) => (
              <a href={pathOf(name as ScreenName)} aria-current={name === screen ? "page" : undefined}>
                {title}
              </a>
            ))}
          </nav>
          {canLogOut && (
            <form method="post" action="/logout">
              <button type="submit" class="quiet">Log out</button>
            </form>
          )}
        </header>
        <p id="stale" class="banner stale" role="alert" hidden></p>
        <main id="content" tabindex={-1}>
          <h1 class="hidden">{SCREENS[screen]}</h1>
          {children}
        </main>
      </body>
    </html>
  );
}

const STATES: Readonly<Record<WhyJson["state"], string>> = {
  "running": "Running",
  "idle": "Idle",
  "held-up": "Held up",
};

/** What is renewed while one looks. */
export function Live({ screen, query = "", children }: {
  readonly screen: ScreenName;
  readonly query?: string;
  readonly children?: Child;
}) {
  return <div id="live" data-live={`/page/live/${screen}${query}`}>{children}</div>;
}

/** One sentence: running, idle, or held up by what. Each has a sign, a word and a colour of its own. */
export function Banner({ why }: { readonly why: WhyJson }) {
  const { state, sentence, since, remedy, cost } = why;
  return (
    <section class={`banner ${state}`} aria-label="How things are">
      <p class="state">
        <span class="sign" aria-hidden="true"></span>
        <span role="status">{STATES[state]}{why.cause === null ? "" : `: ${why.cause}`}</span>
      </p>
      <p class="sentence">{sentence}</p>
      {since !== null && <p>Since {moment(since)}.</p>}
      {remedy !== null && (
        <p>
          <strong>What to do:</strong> {remedy}
        </p>
      )}
      {cost !== null && (
        <p>
          <strong>If nothing is done:</strong> {cost}
        </p>
      )}
    </section>
  );
}
