/**
 * One suggestion: what it answers, what it says, why it is offered, and what the agent does with it.
 */

import { isFromOutside, isSettled } from './conversation.js';
import { make, makeButton, setAttribute, setDisabled, setText, show } from './dom.js';
import { t } from './i18n.js';
import { isText, mediaView } from './media.js';
import { SuggestionEditor } from './suggestion-editor.js';

const EXPIRED = new Set(['call_ended', 'reassigned', 'withdrawn']); // codes of the API
const POINTER = 3000; // milliseconds that a settled item stays under the pointer

/** Return why a suggestion is offered, as far as its source tells. */
function whyOf(suggestion) {
  const { source } = suggestion;
  if (!source) return '';
  const score = (value) => (typeof value === 'number' ? value.toFixed(2) : '');
  const names = source.names?.join(', ');
  const from = names && isFromOutside(suggestion) ? t('why.from', { names }) : null;
  const parts = [[from, source.intent, score(source.confidence)].filter(Boolean).join(' ')];
  if (typeof source.confidence === 'number' && typeof source.margin === 'number') {
    const next = score(Math.max(0, source.confidence - source.margin));
    parts.push(t('why.next', { next: [source.runner_up, next].filter(Boolean).join(' ') }));
  }
  if (source.response) parts.push(source.response);
  if (names && !from) parts.push(t('why.also', { names }));
  return parts.filter(Boolean).join(', ');
}

/** Return what became of a suggestion, with the reason where the API gives one. */
function endOf({ state, reason }) {
  const known = state === 'expired' && EXPIRED.has(reason);
  return t(known ? `expired.${reason}` : `suggestion.${state}`);
}

/** The view of one suggestion. */
export class SuggestionView {
  /**
   * @param {any} suggestion
   * @param {object} context what the list gives to all of its items
   */
  constructor(suggestion, context) {
    this.context = context;
    this.suggestion = suggestion;
    this.shownAt = Infinity; // since when it is seen in its place, under its number
    this.busy = false;
    this.error = null;
    this.retiredAt = Infinity;
    /** @type {'sent'|'rejected'|'copied'|null} what the agent did in this window */
    this.decidedHere = null;
    const id = suggestion.id;
    this.question = make('p', { class: 'question', dir: 'auto' });
    this.text = make('div', { class: 'suggestion-text', id: `text-${id}` });
    this.why = make('p', { class: 'why', id: `why-${id}` });
    this.hosts = make('p', { class: 'warning', id: `hosts-${id}` });
    this.note = make('p', { class: 'suggestion-note', role: 'status' });
    this.buttons = this.#buttons(`text-${id} hosts-${id}`);
    this.actions = make('div', { class: 'actions', role: 'group', 'aria-label': t('actions') },
      ...Object.values(this.buttons));
    this.editor = new SuggestionEditor({
      id,
      drafts: context.drafts,
      onSend: (text, meanwhile, draftId) => context.onSend(this, { text, meanwhile, draftId }),
      onClose: () => this.#closeEditor(),
    });
    this.element = make('li', { class: 'suggestion', tabindex: '-1', 'aria-describedby': `text-${id} hosts-${id} why-${id}` },
      this.question, this.text, this.hosts, this.why, this.actions, this.editor.element, this.note);
    this.element.view = this;
    if (this.editor.isPinned) this.editor.open(this.context.limits(), suggestion);
  }

  /** Return whether the suggestion is no longer offered. */
  get isSettled() {
    return isSettled(this.suggestion);
  }

  /** Return whether the suggestion may be decided. */
  get isOpen() {
    return !isSettled(this.suggestion) && !this.busy && !this.context.readOnly();
  }

  /**
   * Return whether the item stays in its place although it is settled: until the focus and, for a
   * moment, the pointer have left the list, and never from under a pressed pointer.
   */
  get isHeld() {
    if (this.editor.isOpen || this.busy) return true;
    if (this.decidedHere === 'sent') return false;
    const pane = this.element.closest('.suggestions-pane') ?? this.element;
    if (pane.matches(':focus-within') || pane.matches(':active')) return true;
    return pane.matches(':hover') && performance.now() - this.retiredAt < POINTER;
  }

  /** Show a suggestion's current state. `place` is its number among the open ones, from 1. */
  update(suggestion, { place, withQuestion }) {
    this.suggestion = suggestion;
    if (this.place && place !== this.place) this.moved();
    this.place = place;
    if (isSettled(suggestion) && this.retiredAt === Infinity) this.retiredAt = performance.now();
    this.#content(suggestion);
    setText(this.question, suggestion.question ?? '');
    show(this.question, withQuestion && Boolean(suggestion.question));
    const hosts = suggestion.hosts?.join(', ');
    setText(this.hosts, hosts ? t('hosts', { hosts }) : '');
    show(this.hosts, Boolean(hosts));
    setText(this.why, whyOf(suggestion));
    show(this.why, Boolean(this.why.textContent));
    setAttribute(this.element, 'data-state', suggestion.state);
    const open = this.isOpen;
    for (const button of Object.values(this.buttons)) setDisabled(button, !open);
    this.#hint(place);
    show(this.actions, !this.editor.isOpen);
    this.editor.update(suggestion, this.context.limits(), {
      ...this.context.since(suggestion), readOnly: this.context.readOnly(),
    });
    const settled = isSettled(suggestion) && !this.editor.isOpen;
    setText(this.note, this.error ?? (settled ? endOf(suggestion) : ''));
    setAttribute(this.note, 'data-kind', this.error ? 'error' : null);
    show(this.note, Boolean(this.note.textContent));
  }

  /** Note that the item is in another place, or under another number, than a moment ago. */
  moved() {
    if (this.shownAt !== Infinity) this.shownAt = performance.now();
  }

  /** Show a failure at the item; `passing` is one that has no meaning once there is a connection. */
  fail(text, passing = false) {
    this.error = text;
    this.passing = passing;
  }

  /** Begin to edit. */
  edit() {
    if (!this.isOpen) return;
    this.editor.open(this.context.limits(), this.suggestion);
    this.context.onChange();
    show(this.actions, false);
    this.editor.focus();
  }

  /** End editing, if the editor is open; return whether it was. */
  cancelEdit() {
    if (!this.editor.isOpen) return false;
    this.editor.close();
    return true;
  }

  send() {
    if (this.isOpen && !this.editor.isOpen) this.context.onSend(this, {});
  }

  reject() {
    if (this.isOpen && !this.editor.isOpen) this.context.onReject(this);
  }

  copy() {
    if (this.isOpen && !this.editor.isOpen) this.context.onCopy(this);
  }

  /** Ask why it was rejected; answering is optional. */
  askReason() {
    this.reason ??= this.#reasonForm();
    this.element.append(this.reason);
    show(this.reason, true);
  }

  #buttons(describedBy) {
    const { keys } = this.context;
    const button = (action, press, options = {}) => makeButton(t(action), press, {
      'aria-describedby': describedBy,
      'aria-keyshortcuts': keys.label(action) || null,
      'data-key': keys.label(action) || null,
      ...options,
    });
    return {
      send: button('send', () => this.send(), { class: 'primary' }),
      edit: button('edit', () => this.edit()),
      reject: button('reject', () => this.reject()),
      copy: button('copy', () => this.copy()),
    };
  }

  #hint(place) {
    const key = place ? this.context.keys.label(`send_${place}`) || null : null;
    setAttribute(this.buttons.send, 'data-key', key);
    setAttribute(this.buttons.send, 'aria-keyshortcuts', key);
  }

  #content(suggestion) {
    const signature = JSON.stringify([suggestion.text, suggestion.drafts, suggestion.erased_at]);
    if (signature === this.drawn) return;
    this.drawn = signature;
    const media = (suggestion.drafts ?? [])
      .map((draft) => ({ type: draft.media_type, file: draft.media_file_type, content: draft.content }))
      .filter((draft) => !isText(draft));
    this.words = make('p', { text: suggestion.text || (media.length ? '' : t('erased')), dir: 'auto' });
    this.text.replaceChildren(
      this.words, ...media.map((each) => mediaView(each, this.context.mediaHosts)));
  }

  #reasonForm() {
    const box = make('input', { type: 'text', maxlength: '200', 'aria-label': t('reason') });
    const send = makeButton(t('reason.send'), () => this.#sendReason(box.value), { class: 'quiet' });
    const skip = makeButton(t('reason.skip'), () => this.#endReason(), { class: 'quiet' });
    box.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#sendReason(box.value);
    });
    const form = make('div', { class: 'reason-form', hidden: true },
      make('span', { class: 'quiet-text', text: t('reason.why') }), box, send, skip);
    form.addEventListener('focusout', (event) => {
      if (!this.element.contains(event.relatedTarget)) this.#endReason();
    });
    return form;
  }

  #sendReason(text) {
    if (text.trim()) this.context.onReason(this, text.trim());
    this.#endReason();
  }

  #endReason() {
    show(this.reason, false);
    this.context.onChange();
  }

  #closeEditor() {
    show(this.actions, true);
    if (this.editor.element.matches(':focus-within')) this.buttons.edit.focus({ preventScroll: true });
    this.context.onChange();
  }
}
