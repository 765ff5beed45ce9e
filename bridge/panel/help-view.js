/**
 * The help sheet: the keys as they are configured, and what they do.
 */

import { make, makeButton } from './dom.js';
import { t } from './i18n.js';

const ACTIONS = ['suggestions', 'send_1', 'send_2', 'send_3', 'edit', 'reject', 'copy', 'next_call'];
const FIXED = [['Enter', 'send'], ['Shift + Enter', 'line'], ['Esc', 'escape']];

/** The sheet, and the button that opens it. */
export class HelpView {
  /** @param {import('./keys.js').Keys} keys */
  constructor(keys) {
    const rows = [
      ...ACTIONS.map((action) => [keys.label(action), action]),
      ...FIXED,
    ].map(([key, action]) => make('tr', {},
      make('th', { scope: 'row' }, key ? make('kbd', { text: key }) : t('help.off')),
      make('td', { text: t(`help.${action}`) })));
    const close = makeButton(t('help.close'), () => this.sheet.close());
    this.sheet = make('dialog', { class: 'help', 'aria-labelledby': 'help-title' },
      make('h2', { id: 'help-title', text: t('help') }),
      make('p', { text: t('help.about') }),
      make('table', {}, make('tbody', {}, ...rows)),
      make('p', { class: 'quiet-text', text: t('help.configured') }),
      close);
    this.button = makeButton(t('help'), () => this.sheet.showModal(), { class: 'quiet' });
  }
}
