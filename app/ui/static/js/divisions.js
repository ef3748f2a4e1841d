// 行政区划: five selects become one value, with a box that finds a place by part of its name or by a
// pasted address.
//
// `data-division-url` answers {items: [{division_code, division_name, has_children}]}:
// `?parent_code=` (empty: the first level) with the children, `?path_of=<code>` with the way to it.
// `data-find-url` takes what was typed by POST and answers {items: [{division_code, division_name, sure}]}.
import { combobox } from './combobox.js';
import { post } from './http.js';

const LEVELS = ['省', '市', '县', '乡', '村'];
const QUIET_MS = 250;

export const divisions = {
  selector: '[data-division-url]',
  async start(element) {
    const { divisionUrl, findUrl } = element.dataset;
    if (!divisionUrl) return;
    const box = element.matches('input') ? around(element) : element;
    const value = hidden(box);
    const levels = box.querySelector('.cascade');
    if (levels.children.length) [...levels.children].forEach((select, depth) => listen(select, depth));
    else {
      try {
        await draw();
      } catch {
        return; // the box for the code stays
      }
    }
    element.matches('input') ? element.remove() : box.querySelectorAll('button, .found').forEach((one) => one.remove());
    box.append(value);
    if (findUrl) finder(box, findUrl, choose);

    function listen(select, depth) {
      select.removeAttribute('name');
      select.addEventListener('change', async () => {
        set(select.value || (depth ? levels.children[depth - 1].value : ''));
        while (levels.children.length > depth + 1) levels.lastElementChild.remove();
        if (select.value && depth + 1 < LEVELS.length) await below(depth + 1, select.value, '');
      });
    }
    async function below(depth, parent, wanted) {
      const items = await ask(divisionUrl, 'parent_code', parent);
      if (!items.length || levels.children.length !== depth) return false;
      const select = levelSelect(depth, items, wanted);
      levels.append(select);
      listen(select, depth);
      return true;
    }
    async function draw() {
      const path = value.value ? await ask(divisionUrl, 'path_of', value.value) : [];
      levels.replaceChildren();
      let parent = '';
      for (let depth = 0; depth < LEVELS.length; depth += 1) {
        const wanted = path[depth]?.division_code ?? '';
        if (!(await below(depth, parent, wanted)) || !wanted) break;
        parent = wanted;
      }
    }
    function set(code) {
      value.value = code;
      value.dispatchEvent(new Event('change', { bubbles: true }));
    }
    async function choose(code) {
      set(code);
      await draw();
    }
  },
};

function finder(box, url, choose) {
  const input = box.querySelector('.finder input');
  const list = document.createElement('ul');
  input.removeAttribute('name');
  input.parentElement.classList.add('combo');
  input.after(list);
  let timer = 0;
  const look = async (text) => {
    const body = new FormData();
    body.append('division_code-find', text);
    const answer = await post(url, body);
    return (answer.data.items ?? []).map((item) => ({
      text: item.division_name,
      code: item.division_code,
      sure: item.sure,
    }));
  };
  const combo = combobox(input, list, {
    none: '没有找到，请逐级选择或填写地点描述',
    choose: (option) => {
      input.value = '';
      choose(option.code);
    },
    find: (text) => {
      clearTimeout(timer);
      if (text.length < 2) return null;
      return new Promise((done) => {
        timer = setTimeout(() => look(text).then(done), QUIET_MS);
      });
    },
  });
  input.addEventListener('paste', () => setTimeout(async () => {
    clearTimeout(timer);
    const found = await look(input.value.trim());
    if (found[0]?.sure) combo.take(found[0]); // the whole address says one place
    else combo.open();
  }));
}

function hidden(box) {
  const value = document.createElement('input');
  const selects = [...box.querySelectorAll('.cascade select')];
  const chosen = selects.map((select) => select.value).filter(Boolean);
  value.type = 'hidden';
  value.name = box.dataset.division;
  value.value = chosen.at(-1) ?? box.dataset.value ?? '';
  return value;
}

// A plain box for the code, on pages that draw no levels.
function around(input) {
  const box = document.createElement('div');
  box.className = 'place';
  box.id = input.id;
  box.dataset.division = input.name;
  box.dataset.value = input.value;
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', document.querySelector(`label[for="${input.id}"]`)?.textContent ?? '行政区划');
  const search = document.createElement('input');
  search.className = 'form-control';
  search.autocomplete = 'off';
  search.placeholder = '输入地名查找，或粘贴整段地址';
  search.setAttribute('aria-label', '查找区划');
  const find = document.createElement('div');
  find.className = 'finder';
  find.append(search);
  const levels = document.createElement('div');
  levels.className = 'cascade';
  box.append(find, levels);
  input.removeAttribute('id');
  input.before(box);
  return box;
}

async function ask(url, key, value) {
  const address = new URL(url, document.baseURI);
  address.searchParams.set(key, value);
  const response = await fetch(address, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`divisions: ${response.status}`);
  return (await response.json()).items ?? [];
}

function levelSelect(depth, items, wanted) {
  const select = document.createElement('select');
  select.className = 'form-select';
  select.setAttribute('aria-label', `${LEVELS[depth]}级区划`);
  select.add(new Option(`${LEVELS[depth]}级…`, ''));
  for (const item of items) {
    const chosen = item.division_code === wanted;
    select.add(new Option(item.division_name, item.division_code, chosen, chosen));
  }
  return select;
}
