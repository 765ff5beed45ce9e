/**
 * The server's clock: the browser's may be minutes off, and all times of the API are the server's.
 */

let ahead = 0; // milliseconds

/** Set the clock by a time of the server that was read between two times of the browser. */
export function setClock(server, asked, read) {
  if (Number.isFinite(server)) ahead = server - (asked + read) / 2;
}

/** Return the server's time in epoch milliseconds. */
export function now() {
  return Date.now() + ahead;
}
