/**
 * The keys of the panel. They work only while the panel has the focus, and without any modifier.
 */

/**
 * Return the name of the key that an event means, as in `page.keys`: a Latin letter or a digit by
 * what it types, else a letter of another script and a key of the row of digits by its place, and F1
 * to F12.
 */
export function keyName(event) {
  if (/^F\d{1,2}$/.test(event.key)) return event.key;
  if (/^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();
  const pad = /^Numpad([0-9])$/.exec(event.code); // a digit whether NumLock is on or off
  if (pad) return pad[1];
  if ([...event.key].length !== 1) return null; // Enter, an arrow
  const place = /^(Key|Digit)(\w)$/.exec(event.code);
  if (!place || (place[1] === 'Key' && /[\x20-\x7e\p{Script=Latin}]/u.test(event.key))) return null;
  return place[2].toLowerCase();
}

/** Return whether a modifier is held. */
export function hasModifier(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.shiftKey
    || event.getModifierState?.('AltGraph');
}

/** Return whether an input method composes a character with this key. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/** Return whether Enter is pressed to send: once, without Shift, and not to end a composition. */
export function isSendKey(event) {
  return event.key === 'Enter' && !hasModifier(event) && !event.repeat && !isComposing(event);
}

/** Return whether an element takes what is typed. */
export function takesText(element) {
  return element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement
    || element instanceof HTMLSelectElement || element?.isContentEditable;
}

/** Return whether a key event types a character, if an element takes what is typed. */
export function types(event, element) {
  return [...event.key].length === 1 && takesText(element);
}

/** The keys as they are configured. */
export class Keys {
  /** @param {Record<string, string|null>} keys the key of each action; null is none */
  constructor(keys) {
    this.keys = keys;
    this.actions = new Map(
      Object.entries(keys).filter(([, key]) => key).map(([action, key]) => [key, action]),
    );
  }

  /** Return the key of an action as a label, or ''. */
  label(action) {
    return (this.keys[action] ?? '').toUpperCase();
  }

  /** Return the action of a key event, or null. */
  action(event) {
    if (hasModifier(event) || event.repeat || isComposing(event)) return null;
    return this.actions.get(keyName(event)) ?? null;
  }
}
