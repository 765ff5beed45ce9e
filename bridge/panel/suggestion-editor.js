/**
 * Editing a suggestion in place. Editing pins the text: whatever becomes of the suggestion, the
 * agent's text stays. If the customer writes meanwhile, it is sent only when the agent says so.
 */

import { uniqueId } from './api.js';
import { isSettled } from './conversation.js';
import { isDisabled, make, makeButton, setDisabled, setText, show } from './dom.js';
import { t } from './i18n.js';
import { isComposing, isSendKey } from './keys.js';
import { MeterView } from './meter-view.js';

const PAUSE = 700; // milliseconds; a press that was meant for another button does not count

/** The editor of one suggestion. */
export class SuggestionEditor {
  /**
   * @param {object} options
   * @param {string} options.id the suggestion's
   * @param {import('./drafts.js').Drafts} options.drafts
   * @param {(text: string, meanwhile: boolean, draftId: string) => Promise<void>} options.onSend
   * @param {() => void} options.onClose
   */
  constructor({ id, drafts, onSend, onClose }) {
    this.key = `edit:${id}`;
    this.drafts = drafts;
    this.onSend = onSend;
    this.onClose = onClose;
    this.isOpen = false;
    this.meanwhile = false;
    this.isSettled = false;
    this.changedAt = -Infinity;
    this.element = make('div', { class: 'editor', hidden: true });
    this.id = id;
  }

  /** Return whether a text was being edited before a reload. */
  get isPinned() {
    return Boolean(this.drafts.get(this.key));
  }

  /** Open the editor with what was typed before, else with the suggestion's text. */
  open(limits, suggestion) {
    this.#build();
    this.isOpen = true;
    this.limits = limits;
    const kept = this.drafts.get(this.key);
    this.draft = kept ?? { text: suggestion.text, id: uniqueId() };
    if (!kept) this.drafts.set(this.key, this.draft);
    this.box.value = this.draft.text;
    show(this.element, true);
    this.#typed();
  }

  /** Put the focus at the end of the text. */
  focus() {
    this.box.focus({ preventScroll: true });
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
  }

  /** Forget the text and close. */
  close() {
    this.isOpen = false;
    this.meanwhile = false;
    this.drafts.set(this.key, null);
    this.onClose(); // before it is hidden, so that the focus has a place to go to
    show(this.element, false);
  }

  /**
   * Take over what became of the suggestion.
   * @param {any} suggestion
   * @param {any} limits
   * @param {{wrote: boolean, wroteOn: boolean, readOnly: boolean}} since whether the customer wrote
   *   again, or only the rest of what the suggestion answers; whether nothing can be sent
   */
  update(suggestion, limits, { wrote, wroteOn, readOnly }) {
    if (!this.isOpen) return;
    this.limits = limits;
    for (const button of [this.sendEdited, this.sendAnyway]) setDisabled(button, readOnly);
    this.isSettled = isSettled(suggestion);
    const meanwhile = wrote || (this.isSettled && !wroteOn);
    if (meanwhile === this.meanwhile) return;
    this.meanwhile = meanwhile;
    this.changedAt = performance.now();
    setText(this.alert, meanwhile ? t(wrote ? 'edit.meanwhile' : 'edit.settled') : '');
    show(this.alert, meanwhile);
    for (const button of [this.sendAnyway, this.discard]) show(button, meanwhile);
    // A button that has the focus is not taken away from under it; it does nothing then.
    for (const button of [this.sendEdited, this.cancel]) {
      show(button, !meanwhile || button.matches(':focus'));
    }
  }

  #build() {
    if (this.box) return;
    this.meter = new MeterView(`edit-size-${this.id}`);
    this.box = make('textarea', {
      id: `edit-${this.id}`, rows: '3', dir: 'auto', 'aria-describedby': `edit-size-${this.id}`,
    });
    this.alert = make('p', { class: 'warning', role: 'alert', hidden: true });
    this.sendEdited = makeButton(t('edit.send'), () => this.#send(false), { class: 'primary' });
    this.cancel = makeButton(t('cancel'), () => this.close());
    this.sendAnyway = makeButton(t('edit.send_anyway'), () => this.#send(true), {
      class: 'primary', hidden: true,
    });
    this.discard = makeButton(t('edit.discard'), () => this.close(), { hidden: true });
    this.element.append(
      make('label', { for: `edit-${this.id}`, text: t('edit.text') }),
      this.box, this.meter.element, this.alert,
      make('div', { class: 'actions' },
        this.sendEdited, this.cancel, this.sendAnyway, this.discard),
    );
    this.box.addEventListener('input', () => this.#typed());
    this.box.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      if (isSendKey(event)) this.#send(false);
    });
  }

  #typed() {
    const text = this.box.value;
    if (text !== this.draft.text) this.draft = { text, id: uniqueId() };
    this.drafts.set(this.key, this.draft);
    this.meter.update(text, this.limits);
  }

  #send(anyway) {
    if (!this.box.value.trim() || this.meanwhile !== anyway || isDisabled(this.sendEdited)) return;
    if (performance.now() - this.changedAt < PAUSE) return;
    this.onSend(this.box.value, anyway || this.isSettled, this.draft.id);
  }
}
