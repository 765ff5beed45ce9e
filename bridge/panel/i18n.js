/**
 * The texts of the panel, in the agent's language. A language is one file in `languages/`.
 */

/** @type {Record<string, string>} */
let texts = {};
let language = 'en';
let plurals = new Intl.PluralRules('en');
let times = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit' });
let numbers = new Intl.NumberFormat('en');

/** Choose the first of the browser's languages that is configured, else the first configured. */
export function chooseLanguage(wanted, configured) {
  for (const each of wanted) {
    const exact = configured.find((one) => one.toLowerCase() === each.toLowerCase());
    const close = configured.find((one) => primary(one) === primary(each));
    if (exact || close) return exact ?? close;
  }
  return configured[0] ?? 'en';
}

function primary(tag) {
  return tag.toLowerCase().split('-')[0];
}

/** Load the texts of a language; the English ones if it has no catalogue. */
export async function loadLanguage(base, chosen) {
  const response = await fetch(new URL(`languages/${chosen}.json`, base));
  if (!response.ok && chosen !== 'en') {
    await loadLanguage(base, 'en');
    return;
  }
  texts = await response.json();
  language = chosen;
  plurals = new Intl.PluralRules(language);
  // British agents read 14:05 and Americans 02:05 PM, in the same language.
  const region = navigator.languages.find((each) => primary(each) === primary(language)) ?? language;
  times = new Intl.DateTimeFormat(region, { hour: '2-digit', minute: '2-digit' });
  numbers = new Intl.NumberFormat(region);
}

/** Return the language that is shown. */
export function currentLanguage() {
  return language;
}

/**
 * Return a text. `{name}` is replaced by a value; with `count`, the plural form `key.one`,
 * `key.other` and so on is used.
 */
export function t(key, values = {}) {
  const form = 'count' in values ? `${key}.${plurals.select(values.count)}` : key;
  const found = texts[form] ?? texts[`${key}.other`] ?? texts[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? numbers.format(value) : String(value);
  });
}

/**
 * Return what the API says in English, in the language that is shown: by its code, if the catalogue
 * has `code.<code>`.
 */
export function said(code, text, values = {}) {
  const key = `code.${code}`;
  return key in texts ? t(key, values) : text;
}

/** Return the time of day of an ISO 8601 time. */
export function clockTime(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : times.format(date);
}

/** Return a duration in seconds as `0:42` or `1:05:00`. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
