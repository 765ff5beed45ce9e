/**
 * The stream of server-sent events, read by fetch because the token travels in a header.
 */

const FIRST_RETRY = 500;
const LONGEST_RETRY = 10_000;
const SILENCE = 45_000; // the server sends a heartbeat every 15 seconds
const PER_TASK = 100; // events handled before other work gets its turn

/** Parses `text/event-stream`, in pieces of any size. */
export class EventParser {
  #rest = '';
  #data = [];
  #event = '';
  /** The ID of the last event, for Last-Event-ID. */
  lastId = '';

  /** Return the events that are complete with this piece of text. */
  push(text) {
    const events = [];
    this.#rest += text;
    for (;;) {
      const match = /\r\n|\n|\r(?!$)/.exec(this.#rest);
      if (!match) return events;
      const line = this.#rest.slice(0, match.index);
      this.#rest = this.#rest.slice(match.index + match[0].length);
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  #line(line) {
    if (line === '') return this.#finish();
    const colon = line.indexOf(':');
    if (colon === 0) return null; // a comment, which serves as heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    return null;
  }

  #finish() {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.lastId };
    const complete = this.#data.length > 0;
    this.#data = [];
    this.#event = '';
    return complete ? event : null;
  }
}

/** One connection that is made again whenever it breaks. */
export class Stream {
  /**
   * @param {object} options
   * @param {URL} options.address
   * @param {import('./session.js').Session} options.session
   * @param {(event: {event: string, data: any, id: string}) => void} options.onEvent
   * @param {(state: 'open'|'broken'|'ended') => void} options.onState
   * @param {(lastId: string) => void} options.onBeat called whenever the server is heard of
   * @param {string} [options.lastId] the event after which to go on
   */
  constructor(options) {
    this.options = options;
    this.lastId = options.lastId ?? '';
    this.closed = false;
    this.failures = 0;
    this.wakeUp = () => {};
    this.online = () => this.wakeUp();
    window.addEventListener('online', this.online);
    this.done = this.#run();
  }

  /** End the connection for good. */
  close() {
    this.closed = true;
    window.removeEventListener('online', this.online);
    this.abort?.abort();
    this.wakeUp();
  }

  async #run() {
    while (!this.closed) {
      const status = await this.#connect().catch(() => 0);
      if (this.closed) return;
      if (status === 401) {
        this.options.onState('ended');
        return;
      }
      this.options.onState('broken');
      await this.#pause();
    }
  }

  async #connect() {
    const { address, session, onState } = this.options;
    const token = session.token;
    if (!token) return 401;
    const headers = { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' };
    if (this.lastId) headers['Last-Event-ID'] = this.lastId;
    this.abort = new AbortController();
    const watch = new Watch(SILENCE, () => this.abort.abort());
    try {
      const response = await fetch(address, {
        headers,
        cache: 'no-store',
        credentials: 'omit',
        signal: this.abort.signal,
      });
      if (response.status === 401) session.end(token);
      if (!response.ok || !response.body) return response.status;
      onState('open');
      await this.#read(response.body.getReader(), watch);
      return response.status;
    } finally {
      watch.stop();
    }
  }

  async #read(reader, watch) {
    const parser = new EventParser();
    parser.lastId = this.lastId;
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      watch.restart();
      this.failures = 0;
      const events = parser.push(decoder.decode(value, { stream: true }));
      for (let next = 0; next < events.length; next += PER_TASK) {
        if (next) await new Promise((resolve) => setTimeout(resolve));
        for (const event of events.slice(next, next + PER_TASK)) this.#handle(event);
      }
      this.lastId = parser.lastId; // a heartbeat may have an ID too
      this.options.onBeat(this.lastId);
    }
  }

  #handle(event) {
    this.lastId = event.id;
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    this.options.onEvent({ event: event.event, data, id: event.id });
  }

  #pause() {
    const longest = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.failures);
    this.failures += 1;
    const pause = longest * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Calls back after a time without news. */
class Watch {
  constructor(time, callback) {
    this.time = time;
    this.callback = callback;
    this.restart();
  }

  restart() {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.callback, this.time);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
