/**
 * The handoff card: what the customer was already told in the agent's name, why the conversation
 * was handed over, what the bot found out, and the last turns.
 */

import { make } from './dom.js';
import { clockTime, said, t } from './i18n.js';

/** Return why the conversation was handed over: in parts if the language has all of them. */
function reasonOf({ reason, because }) {
  const parts = (because ?? []).map(({ code, values }) => said(`because_${code}`, '', values));
  return parts.length && parts.every(Boolean) ? parts.join(t('card.and')) : reason;
}

/** Return whether a slot has a value: an empty one tells an agent nothing. */
function isKnown(value) {
  return value !== null && value !== '' && !(Array.isArray(value) && !value.length);
}

/** The view of the card. */
export class CardView {
  constructor() {
    this.body = make('div', { class: 'card-body' });
    const summary = make('summary', {}, make('h3', { text: t('card') }));
    this.details = make('details', { open: true }, summary, this.body);
    this.element = make('section', { class: 'card', 'aria-label': t('card'), hidden: true },
      this.details);
    this.drawn = '';
  }

  /** Show a card; null hides it. */
  update(callId, card, said) {
    this.element.hidden = !card;
    if (!card) return;
    const told = said.map((line) => line.text ?? '').filter(Boolean);
    const signature = JSON.stringify([callId, card.reason, card.slots, told, card.turns?.length]);
    if (signature === this.drawn) return;
    this.drawn = signature;
    this.body.replaceChildren(
      ...this.#said(told),
      make('h4', { text: t('card.reason') }),
      make('p', { class: 'reason', text: reasonOf(card), dir: 'auto' }),
      ...this.#slots(card.slots),
      ...this.#turns(card.turns ?? []),
    );
  }

  #said(told) {
    if (!told.length) return [make('p', { class: 'quiet-text', text: t('card.nothing_said') })];
    return [
      make('h4', { text: t('card.said') }),
      ...told.map((text) => make('blockquote', { text, dir: 'auto', tabindex: '0' })),
    ];
  }

  #slots(slots) {
    const entries = Object.entries(slots ?? {}).filter(([, value]) => isKnown(value));
    if (!entries.length) return [];
    const list = make('dl', {});
    for (const [name, value] of entries) {
      const shown = typeof value === 'string' ? value : JSON.stringify(value);
      list.append(make('div', {},
        make('dt', { text: name, dir: 'auto' }), make('dd', { text: shown, dir: 'auto' })));
    }
    return [make('h4', { text: t('card.slots') }), list];
  }

  #turns(turns) {
    if (!turns.length) return [];
    const list = make('ul', { class: 'turns' }, ...turns.map((turn) => make('li', {},
      make('span', { class: 'turn-from', text: t(`from.${turn.from}`) }),
      make('span', { text: turn.text ?? '', dir: 'auto' }),
      make('span', { class: 'turn-time', text: clockTime(turn.at) }))));
    const more = make('details', { class: 'turns-pane' },
      make('summary', { text: t('card.turns', { count: turns.length }) }), list);
    return [more];
  }
}
