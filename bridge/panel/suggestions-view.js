/**
 * The suggestions of the open call. What is new comes last; a suggestion that is no longer open
 * stays in its place, disabled and with the reason, until the focus leaves it.
 */

import { isFromOutside, isSettled } from './conversation.js';
import { focusedElement, make, setText, show } from './dom.js';
import { said, t } from './i18n.js';
import { KeyedList } from './keyed-list.js';
import { SuggestionView } from './suggestion-view.js';

/** The view of both lists: the bot's suggestions, and answers from outside. */
export class SuggestionsView {
  /**
   * @param {object} context see `panel.js`; shared by all items
   */
  constructor(context) {
    this.context = context;
    /** @type {Map<string, SuggestionView>} */
    this.views = new Map();
    this.callId = null;
    this.title = make('h3', { id: 'suggestions-title', text: t('suggestions') });
    this.list = make('ol', { role: 'list', class: 'suggestions', 'aria-labelledby': 'suggestions-title' });
    this.others = make('ol', { role: 'list', class: 'suggestions', 'aria-labelledby': 'others-title' });
    this.othersPane = make('div', { hidden: true },
      make('h3', { id: 'others-title', text: t('others') }), this.others);
    this.empty = make('p', { class: 'empty' });
    this.botNote = make('p', { class: 'bot-note', role: 'status', hidden: true });
    this.element = make('div', { class: 'suggestions-pane' },
      this.botNote, this.list, this.empty, this.othersPane);
    const create = (key, value) => this.#item(key, value);
    this.items = new KeyedList(this.list, create);
    this.otherItems = new KeyedList(this.others, create);
    this.seen = new IntersectionObserver((entries) => this.#seen(entries), { threshold: 0.2 });
    const leave = () => this.retired && setTimeout(() => this.context.onChange());
    for (const event of ['focusout', 'mouseleave']) this.element.addEventListener(event, leave);
    this.timer = setInterval(leave, 1000);
    document.addEventListener('visibilitychange', this.look = () => this.#look());
  }

  /** Stop observing. */
  close() {
    this.seen.disconnect();
    clearInterval(this.timer);
    document.removeEventListener('visibilitychange', this.look);
  }

  /** Show the suggestions of a call, and what the agent should know about the bot. */
  update(conversation, { hidden, off, note }) {
    setText(this.botNote, note && !hidden ? noteText(note) : '');
    show(this.botNote, Boolean(this.botNote.textContent));
    if (conversation?.callId !== this.callId) this.#clear(conversation?.callId ?? null);
    this.readOnly = this.context.readOnly();
    this.version = conversation?.version ?? 0;
    const all = hidden || off ? [] : [...(conversation?.suggestions.values() ?? [])];
    const kept = all.filter((item) => this.#stays(item));
    this.retired = kept.some(isSettled);
    const stays = new Set(kept.map((item) => item.id));
    if ([...this.views.keys()].some((id) => !stays.has(id))) {
      for (const view of this.views.values()) view.moved();
    }
    const own = this.#draw(this.items, kept.filter((item) => !isFromOutside(item)), 0);
    const before = own.filter((id) => !isSettled(conversation.suggestions.get(id))).length;
    const other = this.#draw(this.otherItems, kept.filter(isFromOutside), before);
    show(this.othersPane, other.length > 0);
    show(this.empty, Boolean(conversation) && own.length === 0);
    const why = hidden ? 'hidden' : off ? 'off' : 'none';
    setText(this.empty, t(`suggestions.${why}`));
  }

  /** Forget the failures of the time without a connection. */
  connected() {
    for (const view of this.views.values()) if (view.passing) view.fail(null);
  }

  /** Return the open suggestions in the order in which they are shown. */
  open() {
    return [...this.list.children, ...this.others.children]
      .map((element) => element.view)
      .filter((view) => view.isOpen && !view.editor.isOpen);
  }

  /** Return the suggestion that shows this number, or undefined. */
  at(place) {
    return this.open().find((view) => view.place === place);
  }

  /** Put the focus on the first open suggestion; return whether there is one. */
  focus() {
    const [first] = this.open();
    first?.element.focus();
    first?.element.scrollIntoView({ block: 'nearest' });
    return Boolean(first);
  }

  /** Return the suggestion that has the focus, or null. */
  focused() {
    return focusedElement()?.closest?.('li.suggestion')?.view ?? null;
  }

  #clear(callId) {
    this.items.set([]);
    this.otherItems.set([]);
    this.callId = callId;
  }

  #stays(item) {
    const view = this.views.get(item.id);
    if (!isSettled(item)) return true;
    return view ? view.isHeld : this.context.drafts.get(`edit:${item.id}`) !== null;
  }

  #draw(list, items, before) {
    const byId = new Map(items.map((item) => [item.id, item]));
    const fresh = items.filter((item) => !list.items.has(item.id)).sort(inOrder).map((item) => item.id);
    const present = items.filter((item) => list.items.has(item.id)).map((item) => item.id);
    const order = list.stable([...present, ...fresh]);
    let place = before;
    let question = null;
    list.set(order.map((id) => {
      const item = byId.get(id);
      if (!isSettled(item)) place += 1;
      const words = item.question ?? '';
      const withQuestion = words !== question;
      question = words;
      const numbered = !isSettled(item) && place <= 3;
      return [id, this.#value(item, numbered ? place : 0, withQuestion)];
    }));
    return order;
  }

  /** Return all that an item's looks depend on: most of a thousand do not change with an event. */
  #value(item, place, withQuestion) {
    const view = this.views.get(item.id);
    return {
      item,
      place,
      withQuestion,
      readOnly: this.readOnly,
      busy: view?.busy ?? false,
      error: view?.error ?? null,
      lines: view?.editor.isOpen ? this.version : 0,
    };
  }

  #item(key, { item }) {
    const view = new SuggestionView(item, this.context);
    this.views.set(key, view);
    this.seen.observe(view.element);
    return {
      element: view.element,
      update: (value) => view.update(value.item, value),
      remove: () => {
        this.seen.unobserve(view.element);
        this.views.delete(key);
      },
    };
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#shown(target.view);
      else if (target.view) target.view.visible = false;
    }
  }

  #shown(view) {
    view.visible = true;
    if (document.visibilityState !== 'visible' || view.shownAt !== Infinity) return;
    view.shownAt = performance.now();
    this.context.onShown(view.suggestion);
  }

  #look() {
    for (const view of this.views.values()) if (view.visible) this.#shown(view);
  }
}

function inOrder(one, other) {
  return one.at - other.at || (other.source?.confidence ?? 0) - (one.source?.confidence ?? 0);
}

/** Return what the bot would do, or why it has no answer. */
function noteText(note) {
  if (note.kind === 'action' && note.action) return t('bot_note.action', { action: note.action });
  return said(`note_${note.kind}`, note.text);
}
