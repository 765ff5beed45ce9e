/**
 * The head of a conversation: who the customer is, and what the agent does with the call.
 */

import { nameOf, ownerOf } from './calls-view.js';
import { make, makeButton, setAttribute, setDisabled, setText, show } from './dom.js';
import { t } from './i18n.js';
import { isLive, isRinging } from './store.js';

const KINDS = ['agent_id', 'skill']; // the API's names

/** The view of the head. */
export class HeaderView {
  /**
   * @param {object} options
   * @param {(callId: string, action: string, body?: object) => void} options.onCall
   * @param {(callId: string, hidden: boolean) => void} options.onHide
   */
  constructor({ onCall, onHide }) {
    this.onCall = onCall;
    this.callId = null;
    this.name = make('h2', { dir: 'auto' });
    this.meta = make('p', { class: 'head-meta' });
    const act = (name, options) => makeButton(t(name), () => this.#act(name), options);
    this.buttons = {
      answer: act('answer', { class: 'primary' }),
      reject: act('reject_call'),
      transfer: makeButton(t('transfer'), () => this.#openTransfer(), { 'aria-expanded': 'false' }),
      handback: act('handback'),
      release: act('release'),
    };
    this.toggle = makeButton(t('show_suggestions'), () => {
      onHide(this.callId, this.toggle.getAttribute('aria-checked') === 'true');
    }, { role: 'switch', class: 'switch', 'aria-checked': 'true' });
    this.transfer = this.#transferForm();
    this.element = make('header', { class: 'conversation-head' },
      make('div', { class: 'head-names' }, this.name, this.meta),
      make('div', { class: 'head-actions' }, ...Object.values(this.buttons), this.toggle),
      this.transfer);
  }

  /** Show a call, with what can be done with it now. */
  update(call, { enabled }) {
    if (call?.call_id !== this.callId) this.#closeTransfer();
    this.callId = call?.call_id ?? null;
    show(this.element, Boolean(call));
    if (!call) return;
    setText(this.name, nameOf(call));
    setText(this.meta, [call.channel, call.call_id, ownerOf(call)].filter(Boolean).join(' · '));
    const live = isLive(call);
    const can = (action) => live && Boolean(call.actions?.includes(action));
    for (const action of ['answer', 'reject', 'transfer', 'release']) {
      show(this.buttons[action], can(action));
    }
    if (!can('transfer')) this.#closeTransfer();
    show(this.buttons.handback, live && !isRinging(call) && call.owner === 'agent');
    for (const button of Object.values(this.buttons)) setDisabled(button, !enabled);
    show(this.toggle, live && !isRinging(call));
    setDisabled(this.toggle, !enabled);
    setAttribute(this.toggle, 'aria-checked', call.assist_hidden ? 'false' : 'true');
  }

  #act(name) {
    this.onCall(this.callId, name === 'reject_call' ? 'reject' : name);
  }

  #closeTransfer() {
    show(this.transfer, false);
    setAttribute(this.buttons.transfer, 'aria-expanded', 'false');
  }

  #openTransfer() {
    if (!this.transfer.hidden) {
      this.#closeTransfer();
      return;
    }
    show(this.transfer, true);
    setAttribute(this.buttons.transfer, 'aria-expanded', 'true');
    this.target.focus();
  }

  #transferForm() {
    this.kind = make('select', { 'aria-label': t('transfer.kind') },
      ...KINDS.map((kind) => make('option', { value: kind, text: t(`transfer.${kind}`) })));
    this.target = make('input', {
      id: 'transfer-to', type: 'text', inputmode: 'numeric', autocomplete: 'off',
    });
    const send = makeButton(t('transfer.now'), () => this.#transferNow(), { class: 'primary' });
    this.target.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#transferNow();
    });
    return make('div', { class: 'transfer', hidden: true },
      this.kind, make('label', { for: 'transfer-to', text: t('transfer.to') }), this.target, send);
  }

  #transferNow() {
    const target = this.target.value.trim();
    if (!target) return;
    this.onCall(this.callId, 'transfer', { [this.kind.value]: target });
    this.target.value = '';
    this.#closeTransfer();
    this.buttons.transfer.focus();
  }
}
