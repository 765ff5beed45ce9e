/**
 * The list of calls: those that ring, then who waits longest. While the agent is at work in the list, nothing
 * moves; what is new comes last.
 */

import { now } from './clock.js';
import { isBusy, make, setAttribute, setText, show } from './dom.js';
import { duration, t } from './i18n.js';
import { KeyedList } from './keyed-list.js';
import { isRinging, isWaiting } from './store.js';

const AMBER = 30; // seconds
const RED = 60;
const SECOND = 1000;

/** Return the name under which a call is shown. */
export function nameOf(call) {
  return call?.nickname || call?.user_id || call?.call_id || '';
}

/** Return who answers the customer, or that the call still rings. */
export function ownerOf(call) {
  if (isRinging(call)) return t(`call.${call.state}`);
  return call.owner ? t(`owner.${call.owner}`) : '';
}

/** The view of the list. */
export class CallsView {
  /**
   * @param {object} options
   * @param {(callId: string) => void} options.onSelect
   */
  constructor({ onSelect }) {
    this.onSelect = onSelect;
    this.list = make('ul', { role: 'list', class: 'calls', 'aria-labelledby': 'calls-title' });
    this.empty = make('p', { class: 'empty', text: t('calls.none') });
    this.count = make('span', { class: 'count' });
    const title = make('h2', { id: 'calls-title', text: t('calls') });
    this.element = make('nav', { class: 'calls-pane', 'aria-label': t('calls.pane') },
      make('div', { class: 'pane-title' }, title, this.count), this.list, this.empty);
    this.items = new KeyedList(this.list, (key) => this.#item(key));
    this.selected = null;
    this.calls = [];
    this.offered = () => 0;
    for (const event of ['mouseleave', 'focusout']) {
      this.list.addEventListener(event, () => setTimeout(() => this.#draw()));
    }
    this.timer = setInterval(() => this.#tick(), SECOND);
  }

  /** Stop the clock. */
  close() {
    clearInterval(this.timer);
  }

  /**
   * Show these calls, sorted; `offered` returns the number of open suggestions of a call, `listed` is
   * whether it is known which calls there are.
   */
  update(calls, selected, { offered, listed }) {
    this.calls = calls;
    this.selected = selected;
    this.offered = offered;
    this.#draw();
    show(this.empty, listed && !calls.length);
  }

  #draw() {
    const byId = new Map(this.calls.map((call) => [call.call_id, call]));
    const sorted = [...byId.keys()];
    const order = isBusy(this.list) ? this.items.stable(sorted) : sorted;
    this.items.set(order.map((id) => [id, {
      call: byId.get(id), current: id === this.selected, offered: this.offered(id),
    }]));
    const waiting = this.calls.filter(isWaiting).length;
    setText(this.count, waiting ? t('calls.waiting', { count: waiting }) : '');
  }

  #item(key) {
    const time = make('span', { class: 'call-time', 'aria-hidden': 'true' });
    const badge = make('span', { class: 'call-badge', 'aria-hidden': 'true' });
    const meta = make('span', { class: 'call-meta' });
    const waits = make('span', { class: 'visually-hidden', id: `waits-${key}` });
    // The button's name is the customer's; its area is the whole item, see panel.css.
    const button = make('button', {
      type: 'button', class: 'call-name', dir: 'auto', 'aria-describedby': `waits-${key}`,
    });
    button.addEventListener('click', () => this.onSelect(key));
    const element = make('li', {},
      make('div', { class: 'call-line' }, button, time),
      make('div', { class: 'call-line' }, meta, badge), waits);
    let shown = null;
    const tick = () => this.#time(shown, element, time, waits);
    return {
      element,
      tick,
      update: (value) => {
        shown = value;
        const { call, current, offered } = value;
        setText(button, nameOf(call));
        setText(meta, [call.channel, ownerOf(call)].filter(Boolean).join(' · '));
        setAttribute(element, 'data-state', call.state ?? null);
        setAttribute(button, 'aria-current', current ? 'true' : null);
        setAttribute(element, 'data-current', current ? 'true' : null);
        setText(badge, offered ? t('calls.suggestions', { count: offered }) : '');
        tick();
      },
    };
  }

  /** Let the time go on in all items; nothing else changes with it. */
  #tick() {
    for (const { tick } of this.items.items.values()) tick();
  }

  #time({ call, offered }, element, time, waits) {
    const waiting = isWaiting(call);
    const seconds = Math.floor((now() - call.waitsSince) / SECOND);
    const level = waiting && (seconds >= RED ? 'red' : seconds >= AMBER ? 'amber' : 'green');
    const passed = waiting ? duration(seconds) : '';
    setText(time, passed);
    setAttribute(element, 'data-waiting', level || null);
    const said = [waiting ? t('calls.waits', { time: passed }) : t('calls.answered')];
    if (isRinging(call)) said.unshift(ownerOf(call));
    if (offered) said.push(t('calls.suggestions', { count: offered }));
    setText(waits, said.join(', '));
  }
}
