// A text box that finds: type, choose with arrows and Enter. What is offered, and what choosing
// means, is the caller's.
let number = 0;

/** `find(text)` gives [{text, …}] or a promise of it; `choose(option)` hears what was chosen. */
export function combobox(input, list, { find, choose, none }) {
  number += 1;
  list.id = `combo-${number}`;
  list.hidden = true;
  list.setAttribute('role', 'listbox');
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-controls', list.id);
  let found = [];
  let at = -1;
  let asked = 0;

  const mark = (index) => {
    at = index;
    found.forEach((_, row) => list.children[row].setAttribute('aria-selected', row === at));
    const current = list.children[at];
    if (current) {
      input.setAttribute('aria-activedescendant', current.id);
      current.scrollIntoView({ block: 'nearest' });
    }
  };
  const close = () => {
    asked += 1;
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const show = (options) => {
    found = options;
    list.replaceChildren(...found.map((option, row) => entry(option.text, `${list.id}-${row}`)));
    if (!found.length) list.append(nothing(none));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    mark(found.length ? 0 : -1);
  };
  const open = () => {
    asked += 1;
    const mine = asked;
    const options = find(input.value.trim());
    if (options === null) close();
    else if (typeof options.then === 'function') {
      options.then((late) => mine === asked && (late === null ? close() : show(late)));
    } else show(options);
  };
  const take = (option) => {
    close();
    choose(option);
  };

  input.addEventListener('click', open);
  input.addEventListener('input', open);
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) open();
      else if (found.length) mark((at + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % found.length);
    } else if (event.key === 'Enter' && !list.hidden) {
      event.preventDefault();
      if (found[at]) take(found[at]);
    } else if (event.key === 'Escape') close();
  });
  list.addEventListener('mousedown', (event) => {
    event.preventDefault(); // keep the cursor in the box
    const row = [...list.children].indexOf(event.target.closest('li'));
    if (found[row]) take(found[row]);
  });
  return { open, close, take };
}

function entry(text, id) {
  const item = document.createElement('li');
  item.id = id;
  item.textContent = text;
  item.setAttribute('role', 'option');
  return item;
}

function nothing(text) {
  const item = document.createElement('li');
  item.className = 'none';
  item.textContent = text;
  return item;
}
