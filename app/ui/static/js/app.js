// Starts what a page needs. Every page works without it; with it, forms lose nothing.
import { csrfToken } from './http.js';
import { askFirst } from './confirm.js';
import { copy } from './copy.js';
import { divisions } from './divisions.js';
import { drafts } from './drafts.js';
import { diagrams } from './diagram.js';
import { fields } from './fields.js';
import { frames, resuming } from './frames.js';
import { people } from './people.js';
import { typeahead } from './typeahead.js';
import { uploads } from './uploads.js';

const PARTS = [uploads, people, typeahead, divisions, fields, drafts, diagrams, copy, frames, resuming];

/** Runs `action(element)` once for each element below `root` that matches. */
function once(root, selector, seen, action) {
  const found = [...root.querySelectorAll(selector)];
  if (root.matches?.(selector)) found.unshift(root);
  for (const element of found.filter((one) => !seen.has(one))) {
    seen.add(element);
    action(element);
  }
}

const seen = new Map(PARTS.map((part) => [part, new WeakSet()]));

function start(root) {
  for (const part of PARTS) once(root, part.selector, seen.get(part), part.start);
  root.querySelector('[data-focus]')?.focus();
}

document.documentElement.classList.add('js');
askFirst();

document.addEventListener('htmx:config:request', (event) => {
  event.detail.ctx.request.headers['X-CSRFToken'] = csrfToken();
});
document.addEventListener('htmx:after:settle', (event) => start(event.target));
document.addEventListener('htmx:error', () => {
  document.querySelector('[data-draft-status]')?.replaceChildren('网络不通，请稍后再试，内容未丢失');
});

// One POST at a time from a form: a second click does nothing until the answer is there. A form
// waits for its files.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') return;
  const uploading = form.querySelector('[data-uploading]');
  if (uploading) form.querySelector('[data-draft-status]')?.replaceChildren('文件正在上传，请稍候再提交');
  if (form.dataset.busy || uploading) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.busy = 'yes';
}, true);
document.addEventListener('htmx:finally:request', (event) => {
  const form = event.target.closest?.('form');
  if (form) delete form.dataset.busy;
});
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-busy]')) delete form.dataset.busy;
});

// The box in a list's head ticks all boxes of its name.
document.addEventListener('change', (event) => {
  const name = event.target.dataset?.checkAll;
  if (!name) return;
  for (const box of document.getElementsByName(name)) box.checked = event.target.checked;
});

// "/" puts the cursor into the search box; the user menu closes by itself.
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
  const box = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (box && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
  if (event.key === 'Escape') closeMenus();
});
document.addEventListener('click', (event) => {
  if (!event.target.closest('.usermenu, .more')) closeMenus();
});

function closeMenus() {
  for (const menu of document.querySelectorAll('.usermenu[open], .more[open]')) menu.open = false;
}

// Name, unit and day over the page, so that a photographed screen says whose it was.
function watermark(layer) {
  const text = `${layer.dataset.watermark} ${new Date().toLocaleDateString('zh-CN')}`;
  for (let count = 0; count < 60; count += 1) {
    const mark = document.createElement('span');
    mark.textContent = text;
    layer.append(mark);
  }
}

document.querySelectorAll('[data-watermark]').forEach(watermark);
start(document);
