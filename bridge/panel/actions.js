/**
 * What the agent does: each action is one request, and its outcome is shown where it was asked for.
 */

import { ApiError } from './api.js';
import { copyText } from './clipboard.js';
import { said, t } from './i18n.js';

const PAUSE = 700; // milliseconds between two accepted suggestions; a double click counts once

/** The agent's actions on calls, suggestions and deliveries. */
export class Actions {
  /**
   * @param {object} parts
   * @param {import('./api.js').Api} parts.api
   * @param {import('./store.js').Store} parts.store
   * @param {import('./guard.js').SendGuard} parts.guard
   * @param {(text: string) => void} parts.notify
   * @param {() => void} parts.focusMessage
   */
  constructor(parts) {
    Object.assign(this, parts);
    this.acceptedAt = -Infinity;
    /** @type {Set<string>} */
    this.displayed = new Set();
  }

  /** Send the agent's own text. Returns whether the server took it. */
  async reply(callId, text, clientId) {
    const refusal = this.guard.refusal(`message:${callId}:${text}`);
    if (refusal) return this.#refuse(refusal);
    const key = `local:${clientId}`;
    this.store.addLocal(callId, key, text, this.api.session.agentId);
    this.focusMessage();
    try {
      const sent = await this.#postReply(callId, text, clientId);
      this.store.settleLocal(callId, key, sent.deliveries);
      return true;
    } catch (error) {
      this.store.settleLocal(callId, key, []);
      this.notify(describe(error));
      return false;
    }
  }

  /** Send a suggestion, unchanged or with the agent's text. */
  async accept(view, { text, meanwhile, draftId }) {
    const { suggestion } = view;
    const pressed = performance.now();
    const since = text === undefined ? view.shownAt : -Infinity;
    const refusal = pressed - this.acceptedAt < PAUSE
      ? 'too_soon' : this.guard.refusal(`suggestion:${suggestion.id}:${text ?? ''}`, since);
    if (refusal) return this.#refuse(refusal);
    this.acceptedAt = pressed;
    view.busy = true;
    view.fail(null);
    this.store.changed();
    try {
      const changed = text !== undefined && text.trim() !== suggestion.text.trim();
      await this.#sendAccepted(view, changed ? text : undefined, { text, meanwhile, draftId });
      view.decidedHere = 'sent';
      view.cancelEdit();
      this.focusMessage();
    } catch (error) {
      view.fail(describe(error), !error.status || error.status === 401);
      if (error.status === 409) await this.#lookAgain(suggestion);
    } finally {
      view.busy = false;
      this.store.changed();
    }
    return true;
  }

  async reject(view) {
    view.busy = true;
    view.fail(null);
    try {
      const rejected = await this.api.post(`suggestions/${path(view.suggestion.id)}/reject`);
      view.decidedHere = 'rejected';
      this.store.suggestion(rejected);
      view.askReason();
    } catch (error) {
      view.fail(describe(error), !error.status || error.status === 401);
      if (error.status === 409) await this.#lookAgain(view.suggestion);
    } finally {
      view.busy = false;
      this.store.changed();
    }
  }

  /** Add the reason to a suggestion that was rejected. */
  async reason(view, reason) {
    try {
      this.store.suggestion(
        await this.api.post(`suggestions/${path(view.suggestion.id)}/reject`, { reason }));
    } catch (error) {
      this.notify(t('reason.not_kept', { why: describe(error) }));
    }
  }

  /** Copy a suggestion; it counts as copied only when the text is in the clipboard. */
  async copy(view) {
    const { suggestion } = view;
    if (!await copyText(suggestion.text, view.words)) {
      view.fail(t('copy.selected'));
      this.store.changed();
      return;
    }
    view.decidedHere = 'copied';
    try {
      this.store.suggestion(await this.api.post(`suggestions/${path(suggestion.id)}/copy`));
      this.notify(t('copy.done'));
    } catch (error) {
      view.decidedHere = null;
      view.fail(t('copy.not_recorded', { why: describe(error) }));
      if (error.status === 409) await this.#lookAgain(suggestion);
      this.store.changed();
    }
  }

  /** Record that a suggestion was seen. */
  shown(suggestion) {
    if (this.api.session.readOnly || suggestion.displayed_at || this.displayed.has(suggestion.id)) return;
    this.displayed.add(suggestion.id);
    this.api.post(`suggestions/${path(suggestion.id)}/displayed`).catch(() => {});
  }

  /** Say that the agent types, so that nothing is sent by itself meanwhile. */
  typing(callId) {
    this.api.post(`calls/${path(callId)}/typing`).catch(() => {});
  }

  /** Retry a delivery, or discard it; return whether that was done. */
  delivery(id, action) {
    return this.#try(async () => {
      this.store.delivery(await this.api.post(`deliveries/${path(id)}/${action}`));
    });
  }

  /** Hand a call back, answer, reject, transfer or release it; the stream tells what follows. */
  async call(callId, action, body = {}) {
    await this.#try(() => this.store.during(async () => {
      const call = await this.api.post(`calls/${path(callId)}/${action}`, body);
      if (call?.call_id) this.store.call(call);
    }));
  }

  /** Hide or show the suggestions of a call. */
  async hide(callId, hidden) {
    await this.#try(async () => {
      await this.api.put(`calls/${path(callId)}/assist`, { hidden });
      const call = this.store.calls.get(callId);
      this.store.call({ ...call, assist_hidden: hidden });
    });
  }

  /** Set the agent's state at the gateway; return the agent, or null if that failed. */
  async state(agentId, state) {
    let agent = null;
    await this.#try(async () => {
      agent = await this.api.put(`agents/${path(agentId)}/state`, { state });
    });
    return agent;
  }

  /** Set how many chats the agent has at a time; return the agent, or null if that failed. */
  async chats(agentId, chats) {
    let agent = null;
    await this.#try(async () => {
      agent = await this.api.put(`agents/${path(agentId)}/chats`, { chats });
    });
    return agent;
  }

  async #sendAccepted(view, text, { text: written, meanwhile, draftId }) {
    const { suggestion } = view;
    try {
      if (meanwhile && view.isSettled) throw new ApiError(409, 'settled', '');
      const body = text === undefined ? {} : { text };
      const accepted = await this.api.post(`suggestions/${path(suggestion.id)}/accept`, body);
      const { deliveries, ...rest } = accepted;
      this.store.suggestion(rest);
      this.#deliveries(deliveries, written ?? suggestion.text);
    } catch (error) {
      if (error.status !== 409 || !meanwhile) throw error;
      const sent = await this.#postReply(suggestion.call_id, written, draftId);
      this.#deliveries(sent.deliveries, written);
      await this.#lookAgain(suggestion);
    }
  }

  #postReply(callId, text, clientId) {
    return this.api.post(`calls/${path(callId)}/replies`, { text, client_id: clientId });
  }

  #deliveries(deliveries, text) {
    const only = deliveries.length === 1 ? { text } : {};
    for (const delivery of deliveries) this.store.delivery({ ...delivery, ...only });
  }

  async #lookAgain(suggestion) {
    try {
      this.store.suggestion(await this.api.get(`suggestions/${path(suggestion.id)}`));
    } catch {
      // the stream will say
    }
  }

  async #try(action) {
    try {
      await action();
      return true;
    } catch (error) {
      this.notify(describe(error));
      return false;
    }
  }

  #refuse(why) {
    if (why !== 'too_soon') this.notify(t(`refused.${why}`));
    return false;
  }
}

function path(id) {
  return encodeURIComponent(id);
}

/** Return a failure as a sentence. */
export function describe(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) return t('error.unreachable');
  if (error.status === 401) return t('error.signed_out');
  if (error.status === 409 && error.code === 'settled') return t('error.settled');
  return said(error.code, error.message) || t('error.other', { status: error.status });
}
