/**
 * The top of the panel: the state of the connection, signing in, and the agent's own state.
 */

import { make, makeButton, setAttribute, setText, show } from './dom.js';
import { t } from './i18n.js';

const STATES = ['ready', 'busy', 'wrap_up'];
const MOST_CHATS = 60;

/** The view of the top. */
export class TopView {
  /**
   * @param {object} options
   * @param {import('./session.js').Session} options.session
   * @param {any} options.settings
   * @param {(state: string) => void} options.onState
   * @param {(chats: number) => void} options.onChats
   * @param {(text: string) => void} options.notify
   */
  constructor({ session, settings, onState, onChats, notify }) {
    this.notify = notify;
    this.session = session;
    this.settings = settings;
    this.status = make('span', { role: 'status', class: 'connection', 'aria-label': t('connection') });
    this.agent = make('span', { class: 'agent' });
    this.signIn = makeButton(t('sign_in'), () => this.#signIn(), { class: 'primary', hidden: true });
    this.tokenForm = this.#tokenForm();
    this.state = make('select', { id: 'agent-state' },
      make('option', { value: '', text: t('state.choose') }),
      ...STATES.map((state) => make('option', { value: state, text: t(`agent.${state}`) })));
    this.state.addEventListener('change', () => this.state.value && onState(this.state.value));
    this.chats = make('input', {
      id: 'agent-chats', type: 'number', min: '1', max: String(MOST_CHATS), step: '1',
    });
    this.isTypingChats = false;
    this.chats.addEventListener('input', () => { this.isTypingChats = true; });
    this.chats.addEventListener('change', () => this.#chosen(onChats));
    this.chatsPane = make('span', { class: 'agent-state', hidden: true },
      make('label', { for: 'agent-chats', text: t('agent.chats') }), this.chats);
    this.shown = null;
    this.statePane = make('span', { class: 'agent-state', hidden: true },
      make('label', { for: 'agent-state', text: t('agent.state') }), this.state);
    this.element = make('header', { class: 'top' },
      make('h1', { text: t('title') }), this.status, this.agent, this.statePane,
      this.chatsPane, this.signIn, this.tokenForm);
  }

  /**
   * Show the connection's state, and the agent's own.
   * @param {string} state of the connection
   * @param {any} agent of the API; its state can be chosen if the bridge signs the agent in
   * @param {number} waiting customers
   */
  update(state, agent, waiting) {
    setText(this.status, t(`connection.${state}`));
    setAttribute(this.status, 'data-state', state);
    const { agentId, claims } = this.session;
    setText(this.agent, agentId ? t('agent', { id: agentId }) : claims.aud ? String(claims.sub) : '');
    show(this.agent, Boolean(this.agent.textContent));
    show(this.signIn, state === 'signed_out');
    if (state !== 'signed_out') show(this.tokenForm, false);
    show(this.statePane, agent?.signed_in_by === 'bridge' && state !== 'signed_out');
    show(this.chatsPane, Boolean(agent?.reader) && state !== 'signed_out');
    if (agent !== this.shown) {
      this.shown = agent;
      if (!this.isTypingChats) this.chats.value = String(agent?.chats ?? '');
      this.state.value = STATES.includes(agent?.state) ? agent.state : '';
    }
    if (this.session.ownPage) {
      const title = waiting ? `(${waiting}) ${t('title')}` : t('title');
      if (document.title !== title) document.title = title;
    }
  }

  /** Report the number of chats that was entered; show the former one if it is none. */
  #chosen(onChats) {
    this.isTypingChats = false;
    const chats = Number(this.chats.value);
    if (Number.isInteger(chats) && chats >= 1 && chats <= MOST_CHATS) onChats(chats);
    else this.chats.value = String(this.shown?.chats ?? '');
  }

  #signIn() {
    const { login_url: address, login_origin: origin } = this.settings;
    if (address) {
      if (!this.session.openSignIn(address, origin)) this.notify(t('error.popup'));
      return;
    }
    show(this.tokenForm, true);
    this.token.focus();
  }

  #tokenForm() {
    this.token = make('input', {
      id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false',
    });
    const use = () => {
      const token = this.token.value.trim();
      this.token.value = '';
      if (token) this.session.use(token);
    };
    this.token.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      use();
    });
    return make('div', { class: 'token-form', hidden: true },
      make('label', { for: 'token', text: t('token') }), this.token, makeButton(t('token.use'), use));
  }
}
