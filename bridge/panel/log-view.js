/**
 * The log of a conversation: who wrote what, and what became of each message that was sent.
 */

import { isSameBlock } from './conversation.js';
import { make, makeButton, setAttribute, setText, show } from './dom.js';
import { clockTime, said, t } from './i18n.js';
import { KeyedList } from './keyed-list.js';
import { isText, mediaView } from './media.js';
import { isLive, targetOf } from './store.js';

const NEAR_END = 80; // pixels from the end that count as being there
const STATES = {
  waiting: 'sending',
  sending: 'sending',
  delivered: 'delivered',
  uncertain: 'uncertain',
  failed: 'failed',
  expired: 'expired',
};

/** The view of the log. */
export class LogView {
  /**
   * @param {object} options
   * @param {string[]} options.mediaHosts
   * @param {() => string|null} options.agentId of the agent who is signed in
   * @param {(line: any, action: 'retry'|'take_back'|'remove') => void} options.onDelivery
   */
  constructor({ mediaHosts, agentId, onDelivery }) {
    this.mediaHosts = mediaHosts;
    this.agentId = agentId;
    this.onDelivery = onDelivery;
    this.readOnly = false;
    this.lines = make('div', {
      class: 'log', role: 'log', tabindex: '0', 'aria-label': t('log'), 'aria-live': 'polite',
    });
    this.toEnd = makeButton(t('log.new'), () => this.#scrollToEnd(), { class: 'to-end', hidden: true });
    this.element = make('div', { class: 'log-pane' }, this.lines, this.toEnd);
    this.pinned = true; // to the end, until the agent scrolls up
    this.lines.addEventListener('scroll', () => this.#scrolled());
    // A growing text box or a notice must not hide the newest messages.
    this.resized = new ResizeObserver(() => this.pinned && this.#scrollToEnd());
    this.resized.observe(this.lines);
    this.items = new KeyedList(this.lines, (key, value) => this.#item(value));
    this.callId = null;
  }

  /** Show the lines of a call, and notes at its end. */
  update(call, conversation) {
    const drawn = [call, conversation?.version, conversation?.loaded, this.readOnly];
    if (this.drawn?.every((each, place) => each === drawn[place])) return;
    this.drawn = drawn;
    const changed = call?.call_id !== this.callId;
    if (changed) {
      this.items.setNow([]);
      this.callId = call?.call_id ?? null;
      setAttribute(this.lines, 'aria-busy', 'true');
      show(this.toEnd, false);
    }
    const stay = !changed && !this.pinned;
    const before = this.items.items.size;
    const entries = this.#entries(call, conversation);
    for (const note of notes(call, conversation)) entries.push([note.key, note]);
    this.items.setNow(entries);
    if (conversation?.loaded) setAttribute(this.lines, 'aria-busy', null);
    if (!stay) this.#scrollToEnd();
    else if (this.items.items.size > before) show(this.toEnd, true);
  }

  #entries(call, conversation) {
    let previous = null;
    const agentId = this.agentId();
    return (conversation?.ordered() ?? []).map((line) => {
      const joined = isSameBlock(line, previous);
      previous = line;
      return [line.key, { line, joined, who: authorOf(line, call, agentId), readOnly: this.readOnly }];
    });
  }

  /** Stop observing. */
  close() {
    this.resized.disconnect();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.lines;
    // A log that shrinks scrolls by itself: that is not the agent's doing.
    if (clientHeight !== this.height) {
      this.height = clientHeight;
      return;
    }
    this.pinned = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.pinned) show(this.toEnd, false);
  }

  #scrollToEnd() {
    this.pinned = true;
    this.lines.scrollTop = this.lines.scrollHeight;
    show(this.toEnd, false);
  }

  #item(first) {
    if (first.note) return noteItem();
    const author = make('span', { class: 'author' });
    const time = make('time', {});
    const head = make('div', { class: 'line-head' }, author, time);
    const body = make('div', { class: 'bubble' });
    const state = make('span', { class: 'state' });
    const actions = make('span', { class: 'line-actions' });
    const foot = make('div', { class: 'line-foot' }, state, actions);
    const element = make('div', { class: 'line' }, head, body, foot);
    let drawn = null;
    return {
      element,
      update: ({ line, joined, who }) => {
        setAttribute(element, 'data-from', line.from);
        setAttribute(element, 'data-joined', joined ? 'true' : null);
        setText(author, who);
        setText(time, clockTime(line.at));
        setAttribute(time, 'datetime', new Date(line.at).toISOString());
        const content = JSON.stringify([line.text, line.media]);
        if (content !== drawn) body.replaceChildren(...this.#content(line));
        drawn = content;
        this.#state(line, element, state, actions, foot);
      },
    };
  }

  #content(line) {
    const parts = [];
    if (!isText(line.media)) parts.push(mediaView(line.media, this.mediaHosts));
    const text = wordsOf(line);
    if (text) parts.push(make('p', { text, dir: 'auto' }));
    if (!parts.length) parts.push(make('p', { class: 'quiet-text', text: t('erased') }));
    return parts;
  }

  #state(line, element, state, actions, foot) {
    const delivery = line.delivery;
    show(foot, Boolean(delivery));
    const name = delivery ? stateOf(delivery) : null;
    setAttribute(element, 'data-state', name);
    element.line = line; // the buttons stay when its text comes
    if (!delivery) return;
    const { code, message } = delivery.error ?? {};
    const why = said(code, message || code);
    setText(state, name === 'failed' && why ? t('state.failed_why', { why }) : t(`state.${name}`));
    const buttons = this.readOnly ? [] : actionsOf(delivery);
    const wanted = buttons.join();
    if (actions.dataset.wanted === wanted) return;
    actions.dataset.wanted = wanted;
    actions.replaceChildren(...buttons.map((action) => makeButton(
      t(`delivery.${action}`),
      () => this.onDelivery(element.line, action),
      { class: 'quiet' },
    )));
  }
}

/** Return the words of a line: as they read, or until that is known as they were sent. */
export function wordsOf(line) {
  return line.text ?? (isText(line.media) ? line.media?.content : null);
}

/**
 * Return who wrote a line. Of an agent's line that was written elsewhere, it is only known whether it
 * was written since the agent has the call.
 */
function authorOf(line, call, agentId) {
  if (line.origin === 'auto') return t('from.auto');
  if (line.from !== 'agent') return t(`from.${line.from}`);
  const id = line.agentId ?? (line.at >= call.givenAt ? call.agent_id : null);
  if (!id) return t('from.agent');
  return id === agentId ? t('from.you') : t('agent', { id });
}

function stateOf({ state, error }) {
  return error?.code === 'discarded' ? 'discarded' : STATES[state] ?? state;
}

function actionsOf(delivery) {
  if (delivery.id === undefined || stateOf(delivery) === 'discarded') return [];
  if (delivery.state === 'waiting') return ['take_back'];
  if (delivery.state === 'uncertain') return ['retry', 'remove'];
  return ['failed', 'expired'].includes(delivery.state) ? ['retry'] : [];
}

function noteItem() {
  const element = make('p', { class: 'note' });
  return { element, update: (note) => setText(element, note.text) };
}

/** Return what is to be said at the end of the log: the call went elsewhere, or is over. */
function notes(call, conversation) {
  const found = [];
  if (!call) return found;
  if (call.movedTo) {
    const known = call.movedTo !== true;
    const text = known ? t('log.transferred', { to: call.movedTo }) : t('log.elsewhere');
    found.push({ key: 'note:moved', note: true, text });
  } else if (call.ended_at && call.transfer_to) {
    const text = t('log.transferred', { to: targetOf(call) });
    found.push({ key: 'note:moved', note: true, text });
  } else if (call.ended_at) {
    const count = conversation?.undelivered() ?? 0;
    const left = t('log.left', { time: clockTime(call.ended_at) });
    const lost = count ? `; ${t('log.undelivered', { count })}` : '';
    found.push({ key: 'note:ended', note: true, text: left + lost });
  }
  if (isLive(call) && call.transfer_to) {
    const text = t('log.transferring', { to: targetOf(call) });
    found.push({ key: 'note:transferring', note: true, text });
  }
  if (call.problem) {
    found.push({ key: 'note:problem', note: true, text: t('log.problem', { problem: call.problem }) });
  }
  if (call.untold) found.push({ key: 'note:untold', note: true, text: t('log.untold') });
  return found;
}
