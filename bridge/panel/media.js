/**
 * Media in a conversation: what it is, and *Show*. Nothing is fetched before the agent asks.
 */

import { make, makeButton, openOutside, safeAddress } from './dom.js';
import { t } from './i18n.js';

const TEXT = new Set(['TEXT', 'RICHTEXT', 'EMAIL']);
const PICTURES = new Set(['IMAGE', 'EMOTICONS']);
const SHOWN_FIELDS = ['title', 'description', 'subject', 'text', 'address', 'name', 'content'];
const LONGEST = 20; // fields shown of one content

/** Return whether a media type is read as text. */
export function isText(media) {
  return !media || TEXT.has(media.type) || (!media.type && !media.attachment);
}

/**
 * Return the view of a file, a picture, a card or a location.
 * @param {{type: string, file?: string, content?: string}} media
 * @param {string[]} hosts origins whose pictures are shown in place
 */
export function mediaView(media, hosts) {
  if (media.attachment) return attachmentView(media.attachment, hosts);
  const parsed = parse(media.content);
  const address = safeAddress(typeof parsed === 'string' ? parsed : firstAddress(parsed));
  const type = t(`media.${media.type}`);
  const label = media.file ? `${type} (${media.file})` : type;
  const view = make('div', { class: 'media' });
  view.append(make('span', { class: 'media-type', text: label }));
  for (const words of address && parsed === media.content ? [fileName(address)] : readable(parsed)) {
    view.append(make('span', { class: 'media-words', text: words, dir: 'auto' }));
  }
  if (address) view.append(showButton(media, address, label, hosts, view));
  return view;
}

/**
 * Return the view of what a customer sent. *Show* opens a file that has an address, and a location
 * on a map; of a file with an ID alone, it shows what is known.
 */
function attachmentView(sent, hosts) {
  const label = t(`attachment.${sent.kind}`);
  const view = make('div', { class: 'media' }, make('span', { class: 'media-type', text: label }));
  for (const words of [sent.name, sent.description].filter(Boolean)) {
    view.append(make('span', { class: 'media-words', text: words, dir: 'auto' }));
  }
  const place = [sent.latitude, sent.longitude];
  const isPlace = place.every(Number.isFinite);
  const address = safeAddress(isPlace ? mapOf(...place) : sent.file_id);
  const media = { type: sent.kind === 'picture' ? 'IMAGE' : '' };
  if (address) view.append(showButton(media, address, label, hosts, view));
  else view.append(detailsButton(sent, view));
  return view;
}

function mapOf(latitude, longitude) {
  return `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`;
}

function detailsButton(sent, view) {
  const known = [sent.file_type, sent.size && t('attachment.size', { size: sent.size }), sent.file_id];
  const button = makeButton(t('show'), () => {
    const words = known.filter(Boolean).join(' · ') || t('attachment.unknown');
    view.append(make('span', { class: 'media-words', text: words, dir: 'auto' }));
    button.hidden = true;
  }, { class: 'quiet' });
  return button;
}

function showButton(media, address, label, hosts, view) {
  const inPlace = PICTURES.has(media.type) && hosts.includes(address.origin);
  const button = makeButton(t('show'), () => {
    if (!inPlace) {
      openOutside(address);
      return;
    }
    const picture = make('img', { alt: label, referrerpolicy: 'no-referrer', src: address.href });
    picture.addEventListener('error', () => picture.replaceWith(make('span', { text: t('not_shown') })));
    view.append(picture);
    button.hidden = true;
  }, { class: 'quiet', title: address.href });
  return button;
}

function fileName(address) {
  const last = address.pathname.split('/').pop();
  try {
    return decodeURIComponent(last) || address.host;
  } catch {
    return last;
  }
}

function parse(content) {
  if (typeof content !== 'string') return content ?? '';
  if (!/^\s*[[{]/.test(content)) return content;
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

function firstAddress(value) {
  for (const [, item] of fields(value)) {
    if (safeAddress(item)) return item;
  }
  return null;
}

function readable(value) {
  if (typeof value === 'string') return value ? [value] : [];
  const found = fields(value).filter(([key]) => SHOWN_FIELDS.includes(key)).map(([, item]) => item);
  return [...new Set(found)].filter(Boolean).slice(0, LONGEST);
}

/** Return the texts of nested content with their keys. */
function fields(value, key = '', depth = 0) {
  if (typeof value === 'string' || typeof value === 'number') return [[key, String(value)]];
  if (!value || typeof value !== 'object' || depth > 4) return [];
  return Object.entries(value).flatMap(([name, item]) => fields(item, name, depth + 1));
}
