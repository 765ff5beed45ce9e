/**
 * What the agent types and has not sent, per call: it survives a reload, a lost connection and a
 * new sign-in, and does not outlive the tab.
 */

/** Texts by key. */
export class Drafts {
  /** @param {() => string} subject who is signed in */
  constructor(subject) {
    this.subject = subject;
    this.owner = null;
    /** @type {Map<string, any>} */
    this.memory = new Map();
  }

  /** Return what was kept under a key, or null. */
  get(key) {
    const name = this.#name(key);
    if (!this.memory.has(name)) this.memory.set(name, stored(name));
    return this.memory.get(name);
  }

  /** Keep a value; null forgets it. */
  set(key, value) {
    const name = this.#name(key);
    this.memory.set(name, value);
    try {
      if (value === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, JSON.stringify(value));
    } catch {
      // kept in memory alone
    }
  }

  #name(key) {
    // Signed out, the texts are still those of the agent who was signed in.
    const subject = this.subject();
    if (subject) this.owner = subject;
    return `cc-draft:${this.owner ?? ''}:${key}`;
  }
}

function stored(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name)); // null where there is nothing
  } catch {
    return null;
  }
}
