/**
 * The conversation of one call: its lines, and the suggestions for it.
 */

const SETTLED = new Set(['accepted', 'edited', 'rejected', 'copied', 'superseded', 'expired']);
// The bot's own, and deliveries that were offered again after a reassignment, by their origin.
const INSIDE = new Set(['assist', 'handoff', 'suggestion', 'auto', 'agent', 'bot']);
const BLOCK = 1500; // milliseconds between the messages of one block

/**
 * @typedef {object} Line one line of a conversation
 * @property {string} key
 * @property {'customer'|'bot'|'agent'} from
 * @property {string|null} text
 * @property {number} at epoch milliseconds
 * @property {any} [media] media type and content of what is not text
 * @property {any} [delivery] ID, state and error of a sent message
 * @property {string} [origin] of a sent message
 * @property {string} [agentId] of the agent in whose name it was sent
 * @property {string} [messageId]
 */

/** The conversation and the suggestions of one call. */
export class Conversation {
  #ordered = null;

  constructor(callId) {
    this.callId = callId;
    this.loaded = false;
    this.card = null;
    /** @type {Map<string, Line>} */
    this.lines = new Map();
    /** The number of changes to the lines, to see cheaply whether there was one. */
    this.version = 0;
    /** @type {Map<string, any>} */
    this.suggestions = new Map();
    /** The number of suggestions that are open. */
    this.offered = 0;
  }

  /** Add or replace a line. */
  setLine(line) {
    this.lines.set(line.key, line);
    this.#changed();
  }

  /** Remove a line. */
  removeLine(key) {
    if (this.lines.delete(key)) this.#changed();
  }

  /**
   * Take the line that stands for the oldest message that this window has sent and that has no
   * delivery yet: the event about the delivery may arrive before the response.
   */
  takeLocal() {
    for (const [key, line] of this.lines) {
      if (!key.startsWith('local:')) continue;
      this.removeLine(key);
      return { text: line.text, at: line.at, from: 'agent', agentId: line.agentId };
    }
    return undefined;
  }

  /** Add or replace a suggestion. */
  setSuggestion(suggestion) {
    const known = this.suggestions.get(suggestion.id);
    this.offered += Number(!isSettled(suggestion)) - Number(Boolean(known) && !isSettled(known));
    this.suggestions.set(suggestion.id, suggestion);
  }

  /** Return the lines in the order of time. */
  ordered() {
    this.#ordered ??= [...this.lines.values()].sort((one, other) => one.at - other.at);
    return this.#ordered;
  }

  /**
   * Return whether the customer wrote after the message that a suggestion answers, but for the rest
   * of the block that it began.
   */
  wroteAfter(suggestion) {
    let previous = this.#askedAt(suggestion);
    for (const line of this.#since(previous).filter(({ from }) => from === 'customer')) {
      if (line.at - previous > BLOCK) return true;
      previous = line.at;
    }
    return false;
  }

  /**
   * Return whether the customer wrote the rest of that block and nobody answered it: the suggestion
   * was superseded by it, and a text that was made of the suggestion still fits.
   */
  wroteOn(suggestion) {
    const later = this.#since(this.#askedAt(suggestion));
    return suggestion.state === 'superseded' && later.length > 0
      && later.every(({ from }) => from === 'customer') && !this.wroteAfter(suggestion);
  }

  #askedAt({ message_id: id, at }) {
    return this.ordered().find((line) => line.messageId && line.messageId === id)?.at ?? at;
  }

  #since(at) {
    return this.ordered().filter((line) => line.at > at);
  }

  /** Return the number of messages that did not reach the customer. */
  undelivered() {
    const lost = ['failed', 'expired', 'waiting'];
    return this.ordered().filter(({ delivery }) => lost.includes(delivery?.state)
      && delivery.error?.code !== 'discarded').length;
  }

  #changed() {
    this.version += 1;
    this.#ordered = null;
  }
}

/** Return whether a line belongs to the block of the line before it. */
export function isSameBlock(line, before) {
  return Boolean(before) && before.from === line.from && line.at - before.at <= BLOCK
    && Boolean(before.origin) === Boolean(line.origin) && before.agentId === line.agentId;
}

/** Return whether a suggestion was decided, or is no longer open. */
export function isSettled(suggestion) {
  return SETTLED.has(suggestion.state);
}

/** Return whether a suggestion comes from outside, not from the bot. */
export function isFromOutside(suggestion) {
  return !INSIDE.has(suggestion.source?.kind);
}
