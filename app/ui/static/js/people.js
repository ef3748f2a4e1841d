// Rows of people: add, remove. Names stay `<field>-<row>-<part>`; gaps in the numbers are fine.
const MOST = 30;

export const people = {
  selector: '[data-people]',
  start(group) {
    const adder = document.querySelector(`[data-add-row="${CSS.escape(group.id)}"]`);
    let next = group.children.length;
    adder?.addEventListener('click', () => {
      if (group.children.length >= MOST) return;
      const row = emptied(group.lastElementChild.cloneNode(true), group.dataset.people, next);
      next += 1;
      group.append(row);
      row.querySelector('input').focus();
    });
    group.addEventListener('click', (event) => {
      const row = event.target.closest('[data-remove-row]')?.closest('.people-row');
      if (!row) return;
      if (group.children.length > 1) row.remove();
      else emptied(row, group.dataset.people, next);
      group.dispatchEvent(new Event('change', { bubbles: true }));
    });
  },
};

function emptied(row, field, number) {
  row.querySelectorAll('.problem').forEach((problem) => problem.remove());
  for (const input of row.querySelectorAll('input')) {
    const part = input.name.slice(field.length + 1).replace(/^\d+-/, '');
    input.name = `${field}-${number}-${part}`;
    input.id = `f-${input.name}`;
    input.value = '';
    input.classList.remove('wrong');
    input.removeAttribute('aria-invalid');
    input.setAttribute('aria-label', `第${number + 1}行${input.placeholder}`);
  }
  return row;
}
