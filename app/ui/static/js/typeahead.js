// A long select becomes a text box that finds: type part of a name, choose with arrows and Enter.
const SHOWN = 60;
let number = 0;

export const typeahead = {
  selector: 'select[data-typeahead]',
  start(select) {
    const box = document.createElement('div');
    box.className = 'combo';
    const input = document.createElement('input');
    const list = document.createElement('ul');
    number += 1;
    list.id = `combo-${number}`;
    list.hidden = true;
    list.setAttribute('role', 'listbox');
    prepare(input, select, list);
    select.before(box);
    box.append(input, list, select);
    select.classList.add('visually-hidden-select');
    select.tabIndex = -1;

    const options = [...select.options].filter((option) => option.value);
    let found = [];
    let at = -1;

    const mark = (index) => {
      at = index;
      found.forEach((_, row) => list.children[row].setAttribute('aria-selected', row === at));
      const current = list.children[at];
      if (current) {
        input.setAttribute('aria-activedescendant', current.id);
        current.scrollIntoView({ block: 'nearest' });
      }
    };
    const open = () => {
      const text = input.value === chosenText(select) ? '' : input.value.trim();
      found = options.filter((option) => matches(option.text, text)).slice(0, SHOWN);
      list.replaceChildren(...found.map((option, row) => entry(option.text, `${list.id}-${row}`)));
      if (!found.length) list.append(nothing());
      list.hidden = false;
      input.setAttribute('aria-expanded', 'true');
      mark(found.length ? 0 : -1);
    };
    const close = () => {
      list.hidden = true;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
    };
    const choose = (option) => {
      select.value = option ? option.value : '';
      input.value = option ? option.text : '';
      close();
      select.dispatchEvent(new Event('change', { bubbles: true }));
    };

    input.addEventListener('focus', () => input.select());
    input.addEventListener('click', open);
    input.addEventListener('input', open);
    input.addEventListener('blur', () => {
      close();
      if (!input.value.trim() && select.value) choose(null);
      else input.value = chosenText(select);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        if (list.hidden) open();
        else if (found.length) mark((at + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % found.length);
      } else if (event.key === 'Enter' && !list.hidden) {
        event.preventDefault();
        if (found[at]) choose(found[at]);
      } else if (event.key === 'Escape') close();
    });
    list.addEventListener('mousedown', (event) => {
      event.preventDefault(); // keep the cursor in the box
      const row = [...list.children].indexOf(event.target.closest('li'));
      if (found[row]) choose(found[row]);
    });
  },
};

function prepare(input, select, list) {
  input.className = 'form-control';
  input.type = 'text';
  input.autocomplete = 'off';
  input.placeholder = select.dataset.typeahead;
  input.value = chosenText(select);
  input.id = select.id;
  select.id = `${select.id}-select`;
  for (const name of ['aria-required', 'aria-invalid', 'aria-describedby']) {
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  }
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-controls', list.id);
}

function chosenText(select) {
  const option = select.selectedOptions[0];
  return option?.value ? option.text : '';
}

// Every part typed must occur: “固始 农业” finds 固始县农业农村局.
function matches(text, typed) {
  return typed.split(/\s+/).every((part) => text.includes(part));
}

function entry(text, id) {
  const item = document.createElement('li');
  item.id = id;
  item.textContent = text;
  item.setAttribute('role', 'option');
  return item;
}

function nothing() {
  const item = document.createElement('li');
  item.className = 'none';
  item.textContent = '没有匹配的单位';
  return item;
}
