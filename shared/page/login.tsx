// Login: asks for a token, and gives the browser a session for it.

import { type Context, Hono } from "hono";
import { readBytes } from "../http/read_bytes.ts";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { sealSession, SESSION_MS, tokenOfSession } from "../http/session_cookie.ts";
import { isOneOf } from "../http/bearer_token.ts";
import { Head } from "./document_head.tsx";

/** Wrong tokens a minute: more of them are a guess. */
const WRONG_MAX = 20;
const MINUTE_MS = 60_000;
const FORM_BYTES_MAX = 8192;

/** The token whose session a request has; undefined where it has none. */
export function sessionOf(
  c: Context,
  { tokens, cookie, nowMs }: Omit<LoginConfig, "variable">,
): string | undefined {
  return tokenOfSession(getCookie(c, cookie(c)), tokens, nowMs());
}

/** What is logged in to. */
export interface LoginConfig {
  readonly tokens: readonly string[];
  /** The variable that has them, for people. */
  readonly variable: string;
  /** The cookie's name. */
  readonly cookie: (c: Context) => string;
  readonly nowMs: () => number;
}

/** The routes; without tokens there is nothing to log in to. */
export function loginRoutes({ tokens, variable, cookie, nowMs }: LoginConfig): Hono {
  let wrong = 0;
  let sinceMs = -Infinity;
  return new Hono()
    .get("/login", (c) => c.html(document(<Login variable={variable} next={nextOf(c.req.query("next"))} />)))
    .post("/login", async (c) => {
      const atMs = nowMs();
      if (atMs - sinceMs > MINUTE_MS) [wrong, sinceMs] = [0, atMs];
      const form = await formOf(c.req.raw);
      const token = (form?.get("token") ?? "").trim();
      const next = nextOf(form?.get("next") ?? undefined);
      if (form === undefined) {
        const said = "The form is too large, or did not come whole.";
        return c.html(document(<Login variable={variable} next={next} said={said} />), 400);
      }
      if (wrong >= WRONG_MAX) {
        return c.html(
          document(
            <Login variable={variable} next={next} said="Too many wrong tokens; try again in a minute." />,
          ),
          429,
        );
      }
      if (!isOneOf(tokens, token)) {
        wrong += 1;
        return c.html(
          document(<Login variable={variable} next={next} said={`That is none of ${variable}.`} />),
          401,
        );
      }
      setCookie(c, cookie(c), sealSession(token, atMs), {
        httpOnly: true,
        sameSite: "Strict",
        secure: new URL(c.req.url).protocol === "https:",
        path: "/",
        maxAge: SESSION_MS / 1000,
      });
      return c.redirect(next, 303);
    })
    .post("/logout", (c) => {
      deleteCookie(c, cookie(c), { path: "/" });
      return c.redirect("/login", 303);
    });
}

/** The form as our page sends it, whatever type is stated; undefined where it does not come whole, or is too large. */
async function formOf(request: Request): Promise<URLSearchParams | undefined> {
  const bytes = await readBytes(request, FORM_BYTES_MAX).catch(() => undefined);
  return bytes && new URLSearchParams(new TextDecoder().decode(bytes));
}

/** Nowhere but here: neither `//host` nor another scheme. */
function nextOf(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\w\-./?=&%~+]*$/.test(path) ? path : "/";
}

const document = (page: unknown) => `<!doctype html>${page}`;

interface LoginProps {
  readonly variable: string;
  readonly next: string;
  readonly said?: string;
}

function Login({ variable, next, said }: LoginProps) {
  return (
    <html lang="en">
      <Head title="Log in · Ackpool" />
      <body class="login">
        <main>
          <h1>Ackpool</h1>
          <form method="post" action="/login">
            <label for="token">A token of {variable}</label>
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
