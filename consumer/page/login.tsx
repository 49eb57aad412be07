// Login: asks for a token of ADMIN_TOKEN, and gives the browser a session for it.

import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import {
  sealSession,
  SESSION_MS,
  sessionCookieName,
  tokenOfSession,
} from "../../shared/http/session_cookie.ts";
import { isOneOf } from "../../shared/http/bearer_token.ts";
import { Head } from "./screens/layout.tsx";

/** Wrong tokens a minute: more of them are a guess. */
const WRONG_MAX = 20;
const MINUTE_MS = 60_000;

/** The token whose session a request has; undefined where it has none. */
export function sessionOf(c: Context, tokens: readonly string[], nowMs: number): string | undefined {
  return tokenOfSession(getCookie(c, sessionCookieName(c.req.header("host"))), tokens, nowMs);
}

/** The routes; without tokens there is nothing to log in to. */
export function loginRoutes(tokens: readonly string[], nowMs: () => number): Hono {
  let wrong = 0;
  let sinceMs = -Infinity;
  return new Hono()
    .get("/login", (c) => c.html(document(<Login next={nextOf(c.req.query("next"))} />)))
    .post("/login", async (c) => {
      const atMs = nowMs();
      if (atMs - sinceMs > MINUTE_MS) [wrong, sinceMs] = [0, atMs];
      const form = await c.req.parseBody();
      const token = String(form["token"] ?? "").trim();
      const next = nextOf(String(form["next"] ?? ""));
      if (wrong >= WRONG_MAX) {
        return c.html(
          document(<Login next={next} said="Too many wrong tokens; try again in a minute." />),
          429,
        );
      }
      if (!isOneOf(tokens, token)) {
        wrong += 1;
        return c.html(document(<Login next={next} said="That is none of ADMIN_TOKEN." />), 401);
      }
      setCookie(c, sessionCookieName(c.req.header("host")), sealSession(token, atMs), {
        httpOnly: true,
        sameSite: "Strict",
        secure: new URL(c.req.url).protocol === "https:",
        path: "/",
        maxAge: SESSION_MS / 1000,
      });
      return c.redirect(next, 303);
    })
    .post("/logout", (c) => {
      deleteCookie(c, sessionCookieName(c.req.header("host")), { path: "/" });
      return c.redirect("/login", 303);
    });
}

/** Nowhere but here: neither `//host` nor another scheme. */
function nextOf(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\w\-./?=&%~+]*$/.test(path) ? path : "/";
}

const document = (page: unknown) => `<!doctype html>${page}`;

function Login({ next, said }: { readonly next: string; readonly said?: string }) {
  return (
    <html lang="en">
      <Head title="Log in · Ackpool" scripts={false} />
      <body class="login">
        <main>
          <h1>Ackpool</h1>
          <form method="post" action="/login">
            <label for="token">A token of ADMIN_TOKEN</label>
            <input
              id="token"
              name="token"
              type="password"
              autocomplete="current-password"
              required
              aria-describedby={said === undefined ? undefined : "said"}
            />
            <input type="hidden" name="next" value={next} />
            {said !== undefined && <p id="said" role="alert" class="trouble">{said}</p>}
            <button type="submit">Log in</button>
          </form>
        </main>
      </body>
    </html>
  );
}
