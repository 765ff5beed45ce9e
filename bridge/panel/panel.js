/**
 * The panel: puts the parts together, and draws them whenever the store has changed.
 */

import { Actions } from './actions.js';
import { Api } from './api.js';
import { CallsView } from './calls-view.js';
import { CardView } from './card-view.js';
import { ComposerView } from './composer-view.js';
import { focusedElement, make, makeButton, setAttribute, setText, show } from './dom.js';
import { Drafts } from './drafts.js';
import { SendGuard } from './guard.js';
import { HeaderView } from './header-view.js';
import { HelpView } from './help-view.js';
import { t } from './i18n.js';
import { isComposing, Keys, takesText, types } from './keys.js';
import { LogView, wordsOf } from './log-view.js';
import { Limits } from './split.js';
import { isLive, isRinging, isWaiting, Store } from './store.js';
import { SuggestionsView } from './suggestions-view.js';
import { Sync } from './sync.js';
import { TopView } from './top-view.js';

const NOTICE = 8000; // milliseconds

/** One panel in one element. */
export class Panel {
  /**
   * @param {object} options
   * @param {HTMLElement} options.host
   * @param {any} options.settings of settings.json
   * @param {import('./session.js').Session} options.session
   * @param {URL} options.base the bridge's address
   * @param {boolean} options.embedded one conversation, without the list
   */
  constructor({ host, settings, session, base, embedded }) {
    this.host = host;
    this.settings = settings;
    this.session = session;
    this.embedded = embedded;
    this.selected = null;
    this.refused = null; // why the selected call cannot be shown
    this.agentFilter = null;
    this.keys = new Keys(settings.keys);
    this.store = new Store();
    this.api = new Api(base, session);
    this.drafts = new Drafts(() => (session.token ? session.subject : null));
    this.guard = new SendGuard({
      host, framed: window.parent !== window, confirm: settings.confirm_in_frame,
    });
    this.actions = new Actions({
      api: this.api,
      store: this.store,
      guard: this.guard,
      notify: (text) => this.notify(text),
      focusMessage: () => this.composer.focus(),
    });
    this.sync = new Sync({
      api: this.api,
      session,
      store: this.store,
      selected: () => this.selected,
      onRefused: (callId, why) => {
        if (callId === this.selected) this.refused = why;
        this.store.changed();
      },
      onState: () => this.store.changed(),
      onConnected: () => {
        this.suggestions.connected();
        this.#lookForAgent();
      },
      onCallState: () => this.#lookForAgent(),
    });
    this.#build();
    this.store.addEventListener('change', () => this.#draw());
    session.addEventListener('change', this.onSession = () => this.#signedIn());
    // On the bridge's own page there is nothing but the panel; elsewhere the focus must be in it.
    this.keyTarget = session.ownPage ? document : this.element;
    this.keyTarget.addEventListener('keydown', this.onKey = (event) => this.#key(event));
    this.#signedIn();
  }

  /** End the panel's connections and timers. */
  close() {
    this.session.removeEventListener('change', this.onSession);
    this.keyTarget.removeEventListener('keydown', this.onKey);
    for (const part of [this.sync]) part.stop();
    for (const part of [this.guard, this.calls, this.log, this.suggestions]) part.close();
    clearTimeout(this.noticeTimer);
  }

  /** Show a call that the agent chose. */
  select(callId) {
    if (!callId || callId === this.selected) return;
    this.selected = callId;
    this.refused = null;
    this.sync.load(callId);
    this.store.changed();
  }

  /** Show a call that was chosen elsewhere, or by a key: nothing is sent by accident then. */
  selectFromOutside(callId) {
    if (!callId || callId === this.selected) return;
    this.guard.conversationChanged();
    const focused = focusedElement();
    const within = this.element.contains(focused);
    this.select(callId);
    if (within && takesText(focused)) this.conversation.focus({ preventScroll: true });
  }

  /** Show the calls of one agent only, as far as the token permits. */
  filterAgent(agentId) {
    this.agentFilter = agentId;
    this.store.changed();
  }

  /** Say something that is not at a place of its own. */
  notify(text) {
    clearTimeout(this.noticeTimer);
    setText(this.notice, text);
    show(this.notice, Boolean(text));
    if (text) this.noticeTimer = setTimeout(() => this.notify(''), NOTICE);
  }

  #build() {
    this.top = new TopView({
      session: this.session,
      settings: this.settings,
      onState: (state) => this.#choose('state', state),
      onChats: (chats) => this.#choose('chats', chats),
      notify: (text) => this.notify(text),
    });
    this.help = new HelpView(this.keys);
    this.calls = new CallsView({ onSelect: (id) => this.select(id) });
    this.header = new HeaderView({
      onCall: (id, action, body) => this.actions.call(id, action, body),
      onHide: (id, hidden) => this.actions.hide(id, hidden),
    });
    this.card = new CardView();
    this.log = new LogView({
      mediaHosts: this.settings.media_hosts,
      agentId: () => this.session.agentId,
      onDelivery: (line, action) => this.#delivery(line, action),
    });
    this.composer = new ComposerView({
      drafts: this.drafts,
      onSend: (...args) => this.actions.reply(...args),
      onTyping: (id) => this.actions.typing(id),
    });
    this.suggestions = new SuggestionsView(this.#suggestionContext());
    this.notice = make('div', { class: 'notice', role: 'alert', hidden: true });
    this.nothing = make('p', { class: 'empty', role: 'status' });
    const jump = (action, press) => makeButton(t(`jump.${action}`), press, {
      class: 'quiet',
      'data-key': this.keys.label(action) || null,
      'aria-keyshortcuts': this.keys.label(action) || null,
    });
    this.jumps = make('div', { class: 'jumps' },
      jump('suggestions', () => this.#toSuggestions()),
      this.embedded ? null : jump('next_call', () => this.#nextCall()),
      this.help.button);
    this.top.element.append(this.jumps);
    this.conversation = make('section', {
      class: 'conversation', 'aria-label': t('conversation'), tabindex: '-1',
    }, this.header.element, this.nothing, this.log.element, this.composer.element);
    this.side = make('aside', { class: 'side', 'aria-label': t('side') },
      make('div', { class: 'pane-title' }, this.suggestions.title),
      this.suggestions.element, this.card.element);
    this.main = make('main', { class: 'columns' },
      this.embedded ? null : this.calls.element, this.conversation, this.side);
    this.element = make('div', { class: 'panel' },
      make('div', { class: 'notices' }, this.notice), this.top.element, this.main, this.help.sheet);
    setAttribute(this.element, 'data-embedded', this.embedded ? 'true' : null);
  }

  #suggestionContext() {
    const limits = () => {
      const call = this.store.calls.get(this.selected);
      return call ? new Limits(this.settings.limits, call) : null;
    };
    return {
      drafts: this.drafts,
      keys: this.keys,
      limits,
      mediaHosts: this.settings.media_hosts,
      readOnly: () => !this.session.token || this.session.readOnly || this.#isNotTalking(),
      since: (item) => {
        const conversation = this.store.conversation(item.call_id);
        return { wrote: conversation.wroteAfter(item), wroteOn: conversation.wroteOn(item) };
      },
      onSend: (view, options) => this.actions.accept(view, options),
      onReject: (view) => this.actions.reject(view),
      onCopy: (view) => this.actions.copy(view),
      onReason: (view, reason) => this.actions.reason(view, reason),
      onShown: (suggestion) => this.actions.shown(suggestion),
      onChange: () => this.store.changed(),
    };
  }

  /** Retry a message, or stop it; what the agent wrote and took back is in the text box again. */
  async #delivery(line, action) {
    const callId = this.selected;
    const done = await this.actions.delivery(line.delivery.id, action === 'retry' ? 'retry' : 'discard');
    const own = done && action === 'take_back' && line.origin === 'agent';
    const text = wordsOf(line);
    if (own && text) this.composer.restore(callId, text);
  }

  #signedIn() {
    const subject = this.session.token ? this.session.subject : null;
    if (subject && this.subject && subject !== this.subject) {
      this.store.clear();
      this.selected = null;
    }
    this.subject = subject ?? this.subject;
    this.agent = null;
    this.sync.start();
    this.store.changed();
  }

  /** Read the agent's state, which the gateway changes too, as with each call. */
  async #lookForAgent() {
    const { agentId } = this.session;
    if (!agentId || !this.settings.signs_in) return;
    try {
      const agent = await this.api.get(`agents/${encodeURIComponent(agentId)}`);
      if (agentId === this.session.agentId) this.#setAgent(agent);
    } catch {
      // it is read again with the next call
    }
  }

  /** Choose the agent's state or number of chats; what is shown is what the bridge confirms. */
  async #choose(what, value) {
    const agent = await this.actions[what](this.session.agentId, value);
    this.#setAgent(agent ?? { ...this.agent });
  }

  #setAgent(agent) {
    this.agent = agent;
    this.store.changed();
  }

  /** Return the open calls that the panel is for, those first whose customers wait longest. */
  #openCalls() {
    return this.store.waitingFirst()
      .filter((call) => !this.agentFilter || call.agent_id === this.agentFilter);
  }

  #draw() {
    const calls = this.#openCalls();
    if (!this.selected && this.store.listed && calls.length) this.select(calls[0].call_id);
    const known = this.store.calls.get(this.selected);
    const call = known ?? (this.selected && !this.refused ? { call_id: this.selected } : null);
    const conversation = call ? this.store.conversation(this.selected) : null;
    const writable = Boolean(this.session.token) && !this.session.readOnly;
    const live = isLive(known);
    this.top.update(this.sync.state, this.agent, calls.filter(isWaiting).length);
    if (!this.embedded) {
      const offered = (id) => this.#offered(id);
      this.calls.update(calls, this.selected, { offered, listed: this.store.listed });
    }
    this.header.update(call, { enabled: writable });
    setText(this.nothing, call ? '' : this.#whyNothing());
    show(this.nothing, !call);
    show(this.log.element, Boolean(call));
    show(this.composer.element, Boolean(call) && !this.session.readOnly);
    this.log.readOnly = !writable;
    this.log.update(call, conversation);
    this.composer.update(call, {
      limits: this.settings.limits,
      enabled: writable && live && !isRinging(known) && known.owner === 'agent',
      why: this.#whyNot(known, live),
    });
    this.card.update(this.selected, conversation?.card ?? null, conversation?.card?.said ?? []);
    this.suggestions.update(conversation, {
      hidden: Boolean(known?.assist_hidden),
      off: this.store.assist?.mode === 'off',
      note: isLive(known) ? known.bot_note : null,
    });
  }

  /** Return whether the call that is shown ended, is another agent's, or was not answered yet. */
  #isNotTalking() {
    const call = this.store.calls.get(this.selected);
    return Boolean(call) && (!isLive(call) || isRinging(call));
  }

  #whyNothing() {
    if (!this.session.token) return t('conversation.signed_out');
    return this.refused ?? t('conversation.none');
  }

  #whyNot(call, live) {
    if (!this.session.token) return t('message.signed_out');
    if (!call) return null;
    if (call.movedTo && call.movedTo !== true) return t('message.moved', { to: call.movedTo });
    if (!live) return t('message.over');
    if (isRinging(call)) return t(`message.${call.state}`);
    return call.owner === 'bot' ? t('message.bot') : null;
  }

  /** Return the number of open suggestions that are shown with a call. */
  #offered(callId) {
    if (this.store.calls.get(callId)?.assist_hidden || this.store.assist?.mode === 'off') return 0;
    return this.store.conversations.get(callId)?.offered ?? 0;
  }

  #key(event) {
    if (event.key === 'Escape' && !isComposing(event)) {
      this.#escape(event);
      return;
    }
    const action = this.keys.action(event);
    if (action === null || types(event, focusedElement())) return;
    if (action === 'suggestions' || action === 'next_call') {
      event.preventDefault();
      if (action === 'suggestions') this.#toSuggestions();
      else if (!this.embedded) this.#nextCall();
      return;
    }
    const within = this.suggestions.element.contains(focusedElement());
    if (!within || takesText(focusedElement())) return;
    event.preventDefault();
    if (action.startsWith('send_')) {
      this.suggestions.at(Number(action.slice('send_'.length)))?.send();
      return;
    }
    this.suggestions.focused()?.[action]();
  }

  #escape(event) {
    if (this.help.sheet.open) return;
    const view = this.suggestions.focused();
    if (view?.cancelEdit()) event.preventDefault();
    else if (view) {
      event.preventDefault();
      const back = this.cameFrom?.isConnected ? this.cameFrom : null;
      if (back) back.focus({ preventScroll: true });
      else this.composer.focus();
    }
  }

  #toSuggestions() {
    const focused = focusedElement();
    if (!this.suggestions.element.contains(focused)) this.cameFrom = focused;
    if (!this.suggestions.focus()) this.notify(t('suggestions.none'));
  }

  /** Go round the calls that wait: from the one that is shown to the next in the list's order. */
  #nextCall() {
    const waiting = this.#openCalls().filter(isWaiting).map((call) => call.call_id);
    const next = waiting[(waiting.indexOf(this.selected) + 1) % waiting.length];
    if (next && next !== this.selected) this.selectFromOutside(next);
    else this.notify(t('calls.no_other'));
  }
}
