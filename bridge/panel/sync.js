/**
 * Keeps the store up to date: reads the lists whenever the stream has connected, then follows it.
 */

import { t } from './i18n.js';
import { SharedStream } from './sharing.js';
import { isRinging } from './store.js';

const SOON = 300; // milliseconds in which several reasons to read a call are one
const SHOWN_WITH_CALL = 50; // suggestions that the API returns with a call

/** The connection to the bridge. */
export class Sync {
  /**
   * @param {object} parts
   * @param {import('./api.js').Api} parts.api
   * @param {import('./session.js').Session} parts.session
   * @param {import('./store.js').Store} parts.store
   * @param {() => string|null} parts.selected
   * @param {(callId: string, why: string) => void} parts.onRefused a call is not this agent's
   * @param {() => void} parts.onState
   * @param {() => void} parts.onConnected
   * @param {() => void} parts.onCallState a call began, was answered or ended
   */
  constructor(parts) {
    Object.assign(this, parts);
    this.open = false;
    this.timers = new Map();
  }

  /** Return `connected`, `reconnecting` or `signed_out`. */
  get state() {
    if (!this.session.token) return 'signed_out';
    return this.open ? 'connected' : 'reconnecting';
  }

  /** Connect with the session's token; ends the connection of the token before. */
  start() {
    this.stop();
    if (!this.session.token) return;
    this.shared = new SharedStream({
      name: `cc-bridge ${this.api.base.href} ${this.session.subject}`,
      address: this.api.address('stream'),
      session: this.session,
      onEvent: (event) => this.#event(event),
      onState: (state) => this.#state(state),
    });
  }

  /** End the connection. */
  stop() {
    this.shared?.close();
    this.shared = null;
    this.open = false;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /** Read a call with its history, card and suggestions. */
  async load(callId) {
    if (!callId || !this.session.token) return;
    const before = { offered: this.store.offered(callId), at: performance.now() };
    try {
      await this.store.during(async () => {
        const detail = await this.api.get(`calls/${encodeURIComponent(callId)}`);
        if (detail.suggestions?.length >= SHOWN_WITH_CALL) {
          const query = `suggestions?call_id=${encodeURIComponent(callId)}&state=offered`;
          detail.suggestions = await this.api.all(query);
        }
        this.store.setDetail(detail, before);
      });
    } catch (error) {
      const lost = error.status === 404 || error.status === 403;
      if (lost && this.store.calls.has(callId)) this.store.moved(callId);
      else if (error.status === 404) this.onRefused(callId, t('error.no_call', { call: callId }));
      else if (error.status === 403) this.onRefused(callId, t('error.not_yours', { call: callId }));
    }
  }

  async #lists() {
    try {
      await this.store.during(async () => {
        const [calls, offered, assist] = await Promise.all([
          this.api.all('calls'),
          this.api.all('suggestions?state=offered'),
          this.api.get('assist'),
        ]);
        for (const suggestion of offered) this.store.suggestion(suggestion);
        this.store.assist = assist;
        this.store.setCalls(calls);
      });
    } catch {
      // the stream breaks too then, and this is done again when it is back
    }
    await this.load(this.selected());
    this.onState();
  }

  #state(state) {
    const open = state === 'open';
    // Whoever cannot hold a stream open, as behind some proxies, sees what there is with each try.
    if (open !== this.open || state === 'broken') this.#lists();
    if (open && !this.open) this.onConnected();
    this.open = open;
    this.onState();
  }

  #event(event) {
    if (event.event === 'reset') { // the server does not have what came after the last event
      this.#lists();
      return;
    }
    const { data } = event;
    const callId = data.call_id;
    const known = this.store.calls.get(callId);
    const before = known && { owner: known.owner, handed: known.handed_off_at, state: known.state };
    this.store.apply(event);
    if (event.event === 'call' && before?.state !== data.state) this.onCallState();
    if (callId !== this.selected()) return;
    if (event.event === 'delivery') {
      // The API says how a message reads; the event has what the gateway gets.
      const line = this.store.conversation(callId).lines.get(`delivery:${data.id}`);
      if (line && line.text === null) this.#soon(callId);
    } else if (event.event === 'call') {
      const same = before && before.owner === data.owner && before.handed === data.handed_off_at
        && before.state === data.state;
      // What a customer writes before the call is answered has no event of its own.
      if (!same || data.ended_at || isRinging(data)) this.#soon(callId);
    }
  }

  #soon(callId) {
    if (this.timers.has(callId)) return;
    this.timers.set(callId, setTimeout(() => {
      this.timers.delete(callId);
      this.load(callId);
    }, SOON));
  }
}
