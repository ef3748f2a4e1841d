// 行政区划, level by level. The text box with the code becomes up to five selects.
//
// The address in `data-division-url` answers {items: [{division_code, division_name, has_children}]}:
// `?parent_code=` (empty: the first level) with the children, `?path_of=<code>` with the way to it.
const LEVELS = ['省', '市', '县', '乡', '村'];

export const divisions = {
  selector: 'input[data-division-url]',
  async start(input) {
    const url = input.dataset.divisionUrl;
    if (!url) return;
    const box = document.createElement('div');
    box.className = 'cascade';
    box.id = input.id;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', document.querySelector(`label[for="${input.id}"]`)?.textContent ?? '行政区划');

    const draw = async (depth, parent, wanted) => {
      while (box.children.length > depth) box.lastElementChild.remove();
      const items = await ask(url, 'parent_code', parent);
      if (!items.length) return null;
      const select = levelSelect(depth, items, wanted);
      box.append(select);
      select.addEventListener('change', async () => {
        const item = items.find((one) => one.division_code === select.value);
        input.value = item?.division_code ?? parent;
        input.dispatchEvent(new Event('change', { bubbles: true }));
        while (box.children.length > depth + 1) box.lastElementChild.remove();
        if (item?.has_children && depth + 1 < LEVELS.length) await draw(depth + 1, item.division_code, '');
      });
      return items.find((one) => one.division_code === wanted);
    };

    try {
      const path = input.value ? await ask(url, 'path_of', input.value) : [];
      let parent = '';
      for (let depth = 0; depth < LEVELS.length; depth += 1) {
        const item = await draw(depth, parent, path[depth]?.division_code ?? '');
        if (!item?.has_children) break;
        parent = item.division_code;
      }
    } catch {
      return; // the box for the code stays
    }
    input.removeAttribute('id');
    input.type = 'hidden';
    input.before(box);
  },
};

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
