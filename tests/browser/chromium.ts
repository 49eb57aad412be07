// Chromium for a test: Debian's, without a window, driven by playwright-core.

import { type Browser, chromium } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * Starts it.
 *
 * @throws {Error} where there is none.
 */
export async function startChromium(): Promise<Browser> {
  const executablePath = [Deno.env.get("CHROMIUM"), ...PATHS].find((path) =>
    path !== undefined && isFile(path)
  );
  if (executablePath === undefined) {
    throw new Error("There is no Chromium: apt-get install chromium, or set CHROMIUM to its path");
  }
  // Its sandbox needs rights that containers and root do not have; it sees nothing but this machine's own pages.
  return await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
