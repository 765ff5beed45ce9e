/**
 * The head of a conversation: who the customer is, and what the agent does with the call.
 */

import { nameOf } from './calls-view.js';
import { make, makeButton, setAttribute, setDisabled, setText, show } from './dom.js';
import { t } from './i18n.js';
import { isLive } from './store.js';

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

  /** Show a call. `own` is whether the bridge signs the agent in, and can answer and transfer. */
  update(call, { enabled, own }) {
    if (call?.call_id !== this.callId) show(this.transfer, false);
    this.callId = call?.call_id ?? null;
    show(this.element, Boolean(call));
    if (!call) return;
    setText(this.name, nameOf(call));
    const owner = call.owner ? t(`owner.${call.owner}`) : '';
    setText(this.meta, [call.channel, call.call_id, owner].filter(Boolean).join(' · '));
    const live = isLive(call);
    const ringing = live && call.state === 'ringing';
    show(this.buttons.answer, ringing);
    show(this.buttons.reject, ringing);
    show(this.buttons.transfer, live && !ringing && own);
    show(this.buttons.handback, live && !ringing && call.owner === 'agent');
    for (const button of Object.values(this.buttons)) setDisabled(button, !enabled);
    show(this.toggle, live);
    setDisabled(this.toggle, !enabled);
    setAttribute(this.toggle, 'aria-checked', call.assist_hidden ? 'false' : 'true');
  }

  #act(name) {
    const actions = { answer: 'answer', reject_call: 'reject', handback: 'handback' };
    this.onCall(this.callId, actions[name]);
  }

  #openTransfer() {
    const open = this.transfer.hidden;
    show(this.transfer, open);
    setAttribute(this.buttons.transfer, 'aria-expanded', open ? 'true' : 'false');
    if (open) this.target.focus();
  }

  #transferForm() {
    this.target = make('input', { id: 'transfer-to', type: 'text', autocomplete: 'off' });
    const send = makeButton(t('transfer.now'), () => this.#transferNow(), { class: 'primary' });
    this.target.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#transferNow();
    });
    return make('div', { class: 'transfer', hidden: true },
      make('label', { for: 'transfer-to', text: t('transfer.to') }), this.target, send);
  }

  #transferNow() {
    const target = this.target.value.trim();
    if (!target) return;
    const body = /^\d+$/.test(target) ? { agent_id: target } : { skill: target };
    this.onCall(this.callId, 'transfer', body);
    this.target.value = '';
    this.#openTransfer();
    this.buttons.transfer.focus();
  }
}
