/**
 * What the panel knows: calls, their conversations and suggestions. The API's shapes come in, by
 * request and by event in any order; whatever changes dispatches `change`, at most once a frame.
 */

import { now } from './clock.js';
import { Conversation, isSettled } from './conversation.js';
import { nextFrame } from './dom.js';

// What the API leaves out of a call if it has nothing to say.
const OPTIONAL = ['waiting_since', 'ended_at', 'moved_to', 'assist_hidden', 'actions', 'problem',
  'transfer_to', 'bot_note'];

const RINGING = ['incoming', 'ringing', 'answering'];

/** Everything that is known; dispatches `change`. */
export class Store extends EventTarget {
  #requests = 0; // whose response may be older than an event
  #meanwhile = [];

  constructor() {
    super();
    /** @type {Map<string, any>} */
    this.calls = new Map();
    /** @type {Map<string, Conversation>} */
    this.conversations = new Map();
    this.assist = null;
    this.listed = false;
    this.scheduled = false;
  }

  /** Forget everything, as before another agent signs in. */
  clear() {
    this.calls.clear();
    this.conversations.clear();
    this.assist = null;
    this.listed = false;
    this.changed();
  }

  /** Dispatch `change` with the next frame. */
  changed() {
    if (this.scheduled) return;
    this.scheduled = true;
    nextFrame(() => {
      this.scheduled = false;
      this.dispatchEvent(new Event('change'));
    });
  }

  conversation(callId) {
    let found = this.conversations.get(callId);
    if (!found) {
      found = new Conversation(callId);
      this.conversations.set(callId, found);
    }
    return found;
  }

  /** Replace the list of open calls. Ended calls that are known stay known. */
  setCalls(calls) {
    const listed = new Set(calls.map((call) => call.call_id));
    for (const [id, call] of this.calls) {
      if (!listed.has(id) && !isEnded(call)) this.#setCall({ ...call, gone: true });
    }
    for (const call of calls) this.#setCall(call);
    this.listed = true;
    this.changed();
  }

  /** Return the open calls: those that ring, then the one that waits longest. */
  waitingFirst() {
    return [...this.calls.values()]
      .filter((call) => !isEnded(call) && !call.gone)
      .sort((one, other) => Number(isRinging(other)) - Number(isRinging(one))
        || (one.waitsSince === other.waitsSince
          ? one.givenAt - other.givenAt : one.waitsSince - other.waitsSince));
  }

  /**
   * Run a request, and what applies its response. The response may be older than the events that
   * come meanwhile, so that these are applied once more after it.
   */
  async during(request) {
    this.#requests += 1;
    try {
      return await request();
    } finally {
      for (const event of this.#meanwhile) this.#apply(event);
      this.#requests -= 1;
      if (!this.#requests) this.#meanwhile = [];
    }
  }

  /** Apply an event of the stream. */
  apply(event) {
    this.#apply(event);
    if (this.#requests) this.#meanwhile.push(event);
  }

  #apply({ event, data }) {
    if (event === 'call') this.#call(data);
    else if (event === 'message') this.#message(data);
    else if (event === 'suggestion') this.suggestion(data);
    else if (event === 'delivery') this.delivery(data);
    else if (event === 'assist') this.assist = data;
    else return;
    this.changed();
  }

  /** Return the suggestions of a call that are open as far as is known. */
  offered(callId) {
    const all = this.conversations.get(callId)?.suggestions ?? new Map();
    return [...all.values()].filter((item) => !isSettled(item)).map((item) => item.id);
  }

  /**
   * Apply a call with its history, card and suggestions.
   * @param {any} detail
   * @param {{offered: string[], at: number}} before what was open, and when, as it was asked for:
   *   what the detail lacks of that was decided, or replaced, while this window was not connected
   */
  setDetail(detail, before) {
    const { history, card, suggestions, ...call } = detail;
    const conversation = this.conversation(call.call_id);
    this.#call(call);
    const keys = new Set((history ?? []).map(keyOf));
    for (const [key, line] of conversation.lines) {
      if (!keys.has(key) && !key.startsWith('local:') && line.seenAt < before.at) {
        conversation.removeLine(key);
      }
    }
    for (const item of history ?? []) this.#message({ ...item, call_id: call.call_id });
    conversation.card = card && {
      ...card,
      said: conversation.ordered()
        .filter((line) => line.origin === 'handoff' && line.agentId === call.agent_id),
    };
    for (const item of suggestions ?? []) this.suggestion(item);
    const offered = new Set((suggestions ?? []).map((item) => item.id));
    for (const id of before.offered) {
      const item = conversation.suggestions.get(id);
      if (item && !isSettled(item) && !offered.has(id)) {
        conversation.setSuggestion({ ...item, state: 'expired' });
      }
    }
    conversation.loaded = true;
    this.changed();
  }

  /** Apply a call that a response holds. */
  call(data) {
    this.#call(data);
    this.changed();
  }

  /** Note that another agent has a call now: who, where the events before have said it. */
  moved(callId) {
    const call = this.calls.get(callId);
    if (!call) return;
    this.#setCall({ ...call, movedTo: call.movedTo || targetOf(call) || true, gone: true });
    this.changed();
  }

  /** Add or update a suggestion. */
  suggestion(data) {
    const conversation = this.conversation(data.call_id);
    const known = conversation.suggestions.get(data.id);
    if (known && isSettled(known) && !isSettled(data)) return; // an older state that came late
    conversation.setSuggestion({ ...known, ...data, at: Date.parse(data.created_at) });
    this.changed();
  }

  /** Add or update a delivery's line. */
  delivery(data) {
    const conversation = this.conversation(data.call_id);
    const key = `delivery:${data.id}`;
    const known = conversation.lines.get(key)
      ?? (data.origin === 'agent' ? conversation.takeLocal() : undefined);
    const settled = data.settled_at ? Date.parse(data.settled_at) : 0;
    // The response to a request may arrive after the events about what it began.
    if (known?.settledAt && !settled && data.attempts <= known.attempts) return;
    conversation.setLine({
      ...known,
      key,
      from: known?.from ?? (['bot', 'auto'].includes(data.origin) ? 'bot' : 'agent'),
      text: known?.text || data.text || null,
      at: known?.at ?? Date.parse(data.created_at),
      media: mediaOf(data),
      origin: data.origin,
      agentId: data.agent_id,
      attempts: data.attempts,
      settledAt: settled,
      seenAt: performance.now(),
      delivery: { id: data.id, state: data.state, error: data.error },
    });
    this.changed();
  }

  /** Show what the agent sent before the server has answered. */
  addLocal(callId, key, text, agentId) {
    this.conversation(callId).setLine({
      key,
      from: 'agent',
      text,
      at: now(),
      origin: 'agent',
      agentId,
      seenAt: performance.now(),
      delivery: { state: 'sending' },
    });
    this.changed();
  }

  /** Replace a local line by what the server made of it. */
  settleLocal(callId, key, deliveries) {
    const conversation = this.conversation(callId);
    const local = conversation.lines.get(key);
    conversation.removeLine(key);
    for (const delivery of deliveries ?? []) {
      const only = deliveries.length === 1 && local ? { text: local.text } : {};
      this.delivery({ ...delivery, ...only });
    }
    this.changed();
  }

  /** Apply a call as the agent sees it: `moved_to` is who has it now, where that is another. */
  #call(data) {
    const known = this.calls.get(data.call_id);
    const movedTo = data.moved_to ?? null;
    const call = { ...known, ...data, gone: Boolean(movedTo), movedTo };
    if ('owner' in data) {
      for (const name of OPTIONAL) if (!(name in data)) delete call[name];
    }
    this.#setCall(call);
  }

  /** Keep a call, with its times as numbers to sort by: a ringing one waits from the first ring. */
  #setCall(call) {
    const givenAt = Date.parse(call.given_at ?? '') || 0;
    const since = call.waiting_since ? Date.parse(call.waiting_since) : Infinity;
    const waitsSince = isRinging(call) ? givenAt : since;
    this.calls.set(call.call_id, { ...call, waitsSince, givenAt });
  }

  #message(data) {
    const conversation = this.conversation(data.call_id);
    const key = keyOf(data);
    const known = conversation.lines.get(key)
      ?? (data.origin === 'agent' ? conversation.takeLocal() : undefined);
    const newer = known?.delivery && known.settledAt;
    conversation.setLine({
      ...known,
      key,
      from: data.from,
      text: data.text || known?.text || null,
      at: Date.parse(data.at),
      seenAt: performance.now(),
      media: mediaOf(data),
      origin: data.origin ?? known?.origin,
      messageId: data.message_id ?? known?.messageId,
      agentId: data.agent_id ?? known?.agentId,
      delivery: data.delivery ? { ...known?.delivery, ...(newer ? {} : data.delivery) } : undefined,
    });
  }
}

/** Return where a call is transferred to, or was before it ended: `306`, or `skill 12`. */
export function targetOf(call) {
  return call?.transfer_to?.replace(/^agent /, '');
}

/** Return whether the agent has a call now: it neither ended nor moved to another agent. */
export function isLive(call) {
  return Boolean(call) && !isEnded(call) && !call.movedTo;
}

/** Return whether a call is to be answered or rejected, or is being answered. */
export function isRinging(call) {
  return isLive(call) && RINGING.includes(call.state);
}

/** Return whether a customer waits: for an answer, or for the call to be answered. */
export function isWaiting(call) {
  return Number.isFinite(call?.waitsSince);
}

/** Return whether a call is over. */
export function isEnded(call) {
  return Boolean(call?.ended_at);
}

function keyOf(message) {
  return message.delivery ? `delivery:${message.delivery.id}` : `message:${message.id}`;
}

function mediaOf(data) {
  if (data.attachment) return { attachment: data.attachment };
  if (!data.media_type) return undefined;
  return { type: data.media_type, file: data.media_file_type, content: data.content };
}
