/**
 * The size of a text against the cap of one message, and the messages that a longer one becomes.
 */

import { make, setAttribute, setText, show } from './dom.js';
import { t } from './i18n.js';

/** The view below a text box. */
export class MeterView {
  /** @param {string} id for `aria-describedby` of the text box */
  constructor(id) {
    this.text = make('span', { id, class: 'meter-text' });
    this.parts = make('ol', { class: 'parts', 'aria-label': t('split'), tabindex: '0' });
    this.left = make('p', { class: 'warning' });
    this.element = make('div', { class: 'meter' }, this.text, this.parts, this.left);
  }

  /** Show a text's size and split. @param {import('./split.js').Limits|null} limits */
  update(text, limits) {
    if (!limits) return;
    const size = limits.size(text.trim());
    const { parts, left } = limits.split(text);
    const long = parts.length > 1 || left > 0;
    const amount = t('bytes', { size, cap: limits.cap });
    setText(this.text, long ? `${amount}. ${t('messages', { count: parts.length })}` : amount);
    setAttribute(this.element, 'data-over', long ? 'true' : null);
    show(this.parts, long);
    const drawn = JSON.stringify(parts);
    if (this.drawn !== drawn) {
      this.drawn = drawn;
      const shown = long ? parts : [];
      this.parts.replaceChildren(...shown.map((part) => make('li', { text: part, dir: 'auto' })));
    }
    show(this.left, left > 0);
    setText(this.left, left > 0 ? t('left_out', { count: left }) : '');
  }
}
