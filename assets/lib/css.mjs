// Stylesheets of others, made to work under `default-src 'self'`: every data: image becomes a file.
import { createHash } from 'node:crypto';

const URL_VALUE = /url\(\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^)"'\s]+))\s*\)/g;
const EXTENSIONS = { 'image/svg+xml': 'svg', 'image/png': 'png', 'image/jpeg': 'jpg' };

/** The stylesheet with its data: images moved out; `files` maps each new name to its bytes. */
export function withoutDataUris(css, folder = 'img') {
  const files = new Map();
  const text = css.replace(URL_VALUE, (whole, double, single, bare) => {
    const value = (double ?? single ?? bare).replace(/\\(["'])/g, '$1');
    if (!value.startsWith('data:')) return whole;
    const { extension, bytes } = decode(value);
    const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.${extension}`;
    files.set(name, bytes);
    return `url(${folder}/${name})`;
  });
  return { css: withoutSourceMap(text), files };
}

/** A source-map comment points at a file that is not shipped. */
export function withoutSourceMap(text) {
  return text.replace(/\n?(\/\*# sourceMappingURL=.*?\*\/|\/\/# sourceMappingURL=\S+)\s*$/, '\n');
}

function decode(uri) {
  const comma = uri.indexOf(',');
  const [type, ...parameters] = uri.slice('data:'.length, comma).split(';');
  const extension = EXTENSIONS[type];
  if (!extension) throw new Error(`data: image of unknown type ${type}`);
  const body = uri.slice(comma + 1);
  const bytes = parameters.includes('base64')
    ? Buffer.from(body, 'base64')
    : Buffer.from(decodeURIComponent(body), 'utf8');
  return { extension, bytes };
}
