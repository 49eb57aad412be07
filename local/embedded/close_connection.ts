// Closes a connection, whether or not it is closed already: the other side may have been first by a moment.

/** See the file's first line. */
export function hangUp(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
