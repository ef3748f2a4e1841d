// A long select becomes a text box that finds: type part of a name, choose with arrows and Enter.
import { combobox } from './combobox.js';

const SHOWN = 60;

export const typeahead = {
  selector: 'select[data-typeahead]',
  start(select) {
    const box = document.createElement('div');
    box.className = 'combo';
    const input = document.createElement('input');
    const list = document.createElement('ul');
    prepare(input, select);
    select.before(box);
    box.append(input, list, select);
    select.classList.add('visually-hidden-select');
    select.tabIndex = -1;

    const options = [...select.options].filter((option) => option.value);
    const choose = (option) => {
      select.value = option ? option.value : '';
      input.value = option ? option.text : '';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    };
    combobox(input, list, {
      none: '没有匹配的单位',
      choose,
      find: (typed) => {
        const text = typed === chosenText(select) ? '' : typed;
        return options.filter((option) => matches(option.text, text)).slice(0, SHOWN);
      },
    });
    input.addEventListener('focus', () => input.select());
    input.addEventListener('blur', () => {
      if (!input.value.trim() && select.value) choose(null);
      else input.value = chosenText(select);
    });
  },
};

function prepare(input, select) {
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
}

function chosenText(select) {
  const option = select.selectedOptions[0];
  return option?.value ? option.text : '';
}

// Every part typed must occur: “固始 农业” finds 固始县农业农村局.
function matches(text, typed) {
  return typed.split(/\s+/).every((part) => text.includes(part));
}
