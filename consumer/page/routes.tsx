// Page routes: the screens, what is live in them, and the same values as JSON.

import { type Context, Hono } from "hono";
import type { Child } from "hono/jsx";
import { pageHeaders } from "../../shared/page/headers.ts";
import { LiveScreens } from "./live.ts";
import type { RecordFilter } from "./memory/recent_records.ts";
import { DeadLetters } from "./screens/dead_letters.tsx";
import { Flow } from "./screens/flow.tsx";
import { Banner, Layout, Live, type ScreenName, SCREENS } from "./screens/layout.tsx";
import { HourChart, Now } from "./screens/now.tsx";
import { Partitions } from "./screens/partitions.tsx";
import { Pool } from "./screens/pool.tsx";
import { TicketFilters, Tickets } from "./screens/tickets.tsx";
import { nowState, type PageSources, pageState, partitionsState, poolState } from "./state.ts";
import { historyJson } from "./history_json.ts";

/** What the page is made of. */
export interface PageDeps extends PageSources {
  readonly group: string;
  /** People have logged in, so they may log out. */
  readonly asksForToken: boolean;
  /** Ends what is live. */
  readonly closing: AbortSignal;
}

/** Records on the screen of tickets, and in its JSON where nobody says how many. */
const SHOWN = 100;
const SHOWN_MAX = 2000;

/** A screen: what stands still, and what is renewed. */
interface Screen {
  readonly live: (deps: PageDeps, c: Context) => Child;
  readonly before?: (c: Context) => Child;
  readonly after?: (c: Context) => Child;
}

const banner = ({ why }: PageDeps) => <Banner why={why()} />;

const DRAWN: Readonly<Record<ScreenName, Screen>> = {
  now: { live: (deps) => <Now state={nowState(deps)} />, after: () => <HourChart /> },
  partitions: {
    live: (deps) => (
      <>
        {banner(deps)}
        <Partitions partitions={partitionsState(deps)} />
      </>
    ),
  },
  pool: {
    live: (deps) => (
      <>
        {banner(deps)}
        <Flow flow={deps.flow()} />
        <Pool pool={poolState(deps)} />
      </>
    ),
  },
  tickets: {
    before: (c) => <TicketFilters filter={filterOf(c)} />,
    live: (deps, c) => (
      <>
        {banner(deps)}
        <Tickets records={deps.memory.records.latest(filterOf(c), SHOWN)} />
      </>
    ),
  },
  "dead-letters": { live: banner, after: (c) => <DeadLetters query={c.req.query()} /> },
};

/** For `/`: mounted behind the check of who may look. */
export function pageRoutes(deps: PageDeps): Hono {
  const live = new LiveScreens(deps.closing);
  const app = new Hono();
  app.use(pageHeaders);
  app.get("/", (c) => c.html(document(deps, "now", c)));
  app.get("/page/:screen", (c, next) => {
    const name = c.req.param("screen");
    return isScreen(name) && name !== "now" ? c.html(document(deps, name, c)) : next();
  });
  app.get("/page/live/:screen", (c, next) => {
    const name = c.req.param("screen");
    if (!isScreen(name)) return next();
    return live.answer(c, new URL(c.req.url).search + name, () => String(DRAWN[name].live(deps, c)));
  });
  app.get("/state", (c) => c.json(pageState(deps)));
  app.get("/state/history", (c) => c.json(historyJson(deps.samples())));
  app.get("/state/records", (c) => {
    const limit = Math.min(SHOWN_MAX, Number(c.req.query("limit") ?? SHOWN) || SHOWN);
    return c.json({ records: deps.memory.records.latest(filterOf(c), limit) });
  });
  return app;
}

const isScreen = (name: string): name is ScreenName => Object.hasOwn(SCREENS, name);

function document(deps: PageDeps, name: ScreenName, c: Context): string {
  const { live, before, after } = DRAWN[name];
  const page = (
    <Layout screen={name} group={deps.group} canLogOut={deps.asksForToken}>
      {before?.(c)}
      <Live screen={name} query={new URL(c.req.url).search}>{live(deps, c)}</Live>
      {after?.(c)}
    </Layout>
  );
  return `<!doctype html>${page}`;
}

/** An empty field of the form means everything. */
function filterOf(c: Context): RecordFilter {
  const given = (name: string) => c.req.query(name)?.trim() || undefined;
  return {
    decision: given("decision"),
    label: given("label"),
    status: given("status"),
    topic: given("topic"),
    find: given("find"),
  };
}
