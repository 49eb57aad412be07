// Closing of a connection that the other side may have closed a moment before.

/** Closes a connection that the other side may have closed a moment before. */
export function closeConnection(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
