/**
 * One stream for all windows of a browser: a browser allows six connections to a server.
 *
 * The windows of one agent elect a leader by a Web Lock; it reads the stream and hands every event
 * on by a BroadcastChannel. When it closes, the lock makes another window the leader, which goes on
 * after the last event. Without either (an insecure context), each window has a stream of its own.
 */

import { Stream } from './stream.js';

const SILENCE = 120_000; // of a leader that hangs; timers of hidden windows run once a minute

/** The stream of this window or of another one. */
export class SharedStream {
  /**
   * @param {object} options
   * @param {string} options.name the same for all windows of one agent
   * @param {URL} options.address
   * @param {import('./session.js').Session} options.session
   * @param {(event: {event: string, data: any}) => void} options.onEvent
   * @param {(state: 'open'|'broken'|'ended') => void} options.onState
   */
  constructor(options) {
    this.options = options;
    this.lastId = '';
    this.leading = false;
    this.state = 'broken';
    this.closing = new AbortController();
    const shared = globalThis.navigator?.locks && typeof BroadcastChannel === 'function';
    if (shared) this.#share();
    else this.#lead();
  }

  /** End this window's part; another window becomes the leader. */
  close() {
    this.closing.abort();
    this.stream?.close();
    this.channel?.close();
    clearTimeout(this.watch);
    this.release?.();
  }

  #share() {
    this.channel = new BroadcastChannel(this.options.name);
    this.channel.onmessage = ({ data }) => this.#receive(data);
    this.#campaign({ signal: this.closing.signal });
    this.channel.postMessage({ kind: 'hello' });
    this.#watchLeader();
  }

  #campaign(options) {
    const held = () => new Promise((resolve) => {
      if (this.closing.signal.aborted) return resolve();
      this.release = resolve;
      this.leading = true;
      clearTimeout(this.watch);
      this.#lead();
    });
    navigator.locks.request(this.options.name, options, held).catch(() => {
      // Closed before the lock was granted, or another window took the lock from a leader that
      // hung: that window reads the stream now.
      this.stream?.close();
      this.leading = false;
      if (!this.closing.signal.aborted) this.#campaign({ signal: this.closing.signal });
    });
  }

  #lead() {
    this.stream = new Stream({
      address: this.options.address,
      session: this.options.session,
      lastId: this.lastId,
      onEvent: (event) => {
        this.channel?.postMessage({ kind: 'event', event });
        this.#event(event);
      },
      onState: (state) => {
        this.#changed(state);
        this.channel?.postMessage({ kind: 'state', state });
        if (state !== 'ended') return;
        this.leading = false;
        this.release?.(); // a window with a newer token goes on
      },
      onBeat: (lastId) => {
        this.lastId = lastId;
        this.channel?.postMessage({ kind: 'beat', lastId });
      },
    });
  }

  #receive(message) {
    if (this.leading) {
      if (message.kind !== 'hello') return;
      this.channel.postMessage({ kind: 'beat', lastId: this.lastId });
      this.channel.postMessage({ kind: 'state', state: this.state });
      return;
    }
    this.#watchLeader();
    if (message.kind === 'event') this.#event(message.event);
    else if (message.kind === 'beat') this.lastId = message.lastId;
    else if (message.kind === 'state') this.#changed(message.state === 'ended' ? 'broken' : message.state);
  }

  #event(event) {
    this.lastId = event.id;
    this.options.onEvent(event);
  }

  #changed(state) {
    this.state = state;
    this.options.onState(state);
  }

  #watchLeader() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      this.#changed('broken');
      this.#campaign({ steal: true });
    }, SILENCE);
  }
}
