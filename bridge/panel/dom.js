/**
 * Building and updating elements. All text is set by `textContent`; nothing here parses HTML.
 */

const WITHOUT_FRAMES = 250; // milliseconds

/**
 * Create an element.
 * @param {string} tag
 * @param {Record<string, any>} [options] `text`, `on` (listeners by event), `class`; the rest are
 *   attributes: `true` sets one without a value, `false`, null and undefined leave it out.
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === 'text') element.textContent = value;
    else if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set, or remove, an attribute if it differs. */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Set the text of an element if it differs, so that screen readers announce changes only. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide an element. */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Disable a button without taking the focus from it. */
export function setDisabled(button, disabled) {
  setAttribute(button, 'aria-disabled', disabled ? 'true' : null);
}

/** Return whether a button may be used. */
export function isDisabled(button) {
  return button.getAttribute('aria-disabled') === 'true';
}

/** Create a button that ignores presses while it is disabled. */
export function makeButton(text, press, options = {}) {
  const button = make('button', { type: 'button', text, ...options });
  button.addEventListener('click', (event) => {
    if (!isDisabled(button)) press(event);
  });
  return button;
}

/**
 * Return an address that may be opened, or null. Only http and https are links: `javascript:`,
 * `data:` and the rest are text.
 */
export function safeAddress(value) {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value.trim())) return null;
  try {
    const url = new URL(value.trim());
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}

/** Open an address in a new tab that cannot reach this page. */
export function openOutside(url) {
  window.open(url.href, '_blank', 'noopener,noreferrer');
}

/** Return the focused element, also within shadow roots. */
export function focusedElement() {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}

/** Return whether the agent is at work in an element: it has the focus or the pointer. */
export function isBusy(element) {
  return element.matches(':hover') || element.matches(':focus-within');
}

/** Call back with the next frame; a hidden tab has no frames, and calls back a little later. */
export function nextFrame(callback) {
  const once = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    callback();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, WITHOUT_FRAMES);
}
