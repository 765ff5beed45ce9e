/**
 * The text box for the agent's own messages. What is typed belongs to the call that is drawn beside
 * it, and is sent with that call's ID.
 */

import { uniqueId } from './api.js';
import { make, makeButton, setAttribute, setDisabled, setText, show } from './dom.js';
import { t } from './i18n.js';
import { isComposing, isSendKey } from './keys.js';
import { MeterView } from './meter-view.js';
import { Limits } from './split.js';

const TYPING_EVERY = 5000; // milliseconds

/** The view of the text box. */
export class ComposerView {
  /**
   * @param {object} options
   * @param {import('./drafts.js').Drafts} options.drafts
   * @param {(callId: string, text: string, clientId: string) => Promise<boolean>} options.onSend
   * @param {(callId: string) => void} options.onTyping
   */
  constructor({ drafts, onSend, onTyping }) {
    this.drafts = drafts;
    this.onSend = onSend;
    this.onTyping = onTyping;
    this.callId = null;
    this.typedAt = -Infinity;
    this.meter = new MeterView('message-size');
    this.box = make('textarea', {
      id: 'message', rows: '2', dir: 'auto', 'aria-describedby': 'message-size message-to',
      placeholder: t('message.hint'),
    });
    this.to = make('span', { id: 'message-to', class: 'message-to' });
    this.send = makeButton(t('message.send'), () => this.#send(), { class: 'primary' });
    this.why = make('p', { class: 'warning', hidden: true });
    this.element = make('form', { class: 'composer', novalidate: true },
      make('div', { class: 'composer-head' },
        make('label', { for: 'message', text: t('message') }), this.to),
      this.box,
      make('div', { class: 'composer-foot' }, this.meter.element, this.send),
      this.why);
    this.element.addEventListener('submit', (event) => event.preventDefault());
    this.box.addEventListener('input', () => this.#typed());
    this.box.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Show the text of a call; the text of another one is kept. */
  update(call, { limits, enabled, why }) {
    if (call?.call_id !== this.callId) {
      this.callId = call?.call_id ?? null;
      this.box.value = this.callId ? this.drafts.get(this.callId)?.text ?? '' : '';
    }
    this.limits = call ? new Limits(limits, call) : null;
    setText(this.to, this.callId ? t('message.to', { call: this.callId }) : '');
    setAttribute(this.box, 'readonly', this.callId ? null : true);
    setDisabled(this.send, !enabled);
    setText(this.why, why ?? '');
    show(this.why, Boolean(why));
    this.meter.update(this.box.value, this.limits);
  }

  /** Put the focus into the text box. */
  focus() {
    this.box.focus({ preventScroll: true });
  }

  /** Put a message that was taken back before what is typed for its call. */
  restore(callId, text) {
    const typed = this.drafts.get(callId)?.text;
    const whole = typed ? `${text}\n${typed}` : text;
    this.drafts.set(callId, { text: whole, id: uniqueId() });
    if (callId !== this.callId) return;
    this.box.value = whole;
    this.meter.update(whole, this.limits);
  }

  #typed() {
    const text = this.box.value;
    const known = this.drafts.get(this.callId);
    if (this.callId && known?.text !== text) {
      // Another text is another message: it gets an ID of its own.
      this.drafts.set(this.callId, text ? { text, id: uniqueId() } : null);
    }
    this.meter.update(text, this.limits);
    const now = Date.now();
    if (this.callId && text && now - this.typedAt > TYPING_EVERY) {
      this.typedAt = now;
      this.onTyping(this.callId);
    }
  }

  #key(event) {
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    if (isSendKey(event)) this.#send();
  }

  async #send() {
    const callId = this.callId;
    const text = this.box.value;
    if (!callId || !text.trim() || this.sending || this.send.getAttribute('aria-disabled')) return;
    const draft = this.drafts.get(callId) ?? { text, id: uniqueId() };
    this.sending = true;
    try {
      const sent = await this.onSend(callId, text, draft.id);
      if (!sent) return;
      if (this.drafts.get(callId)?.id === draft.id) this.drafts.set(callId, null);
      if (this.callId === callId && this.box.value === text) {
        this.box.value = '';
        this.meter.update('', this.limits);
      }
    } finally {
      this.sending = false;
    }
  }
}
