// Small helps inside a form: fields that belong to one answer, and counters of long texts.

export const fields = {
  selector: 'form',
  start(form) {
    const dependent = [...form.querySelectorAll('[data-show-when]')];
    const show = () => dependent.forEach((field) => toggle(form, field));
    if (dependent.length) {
      form.addEventListener('change', show);
      show();
    }
    form.querySelectorAll('[data-count]').forEach(count);
  },
};

// A hidden field is disabled too, so that it is neither sent nor refused.
function toggle(form, field) {
  const wanted = field.dataset.showValues.split('|');
  const given = new FormData(form).getAll(field.dataset.showWhen);
  field.hidden = !given.some((value) => wanted.includes(value));
  for (const control of field.querySelectorAll('input, select, textarea')) control.disabled = field.hidden;
}

function count(counter) {
  const text = document.getElementById(counter.dataset.count);
  const most = Number(counter.dataset.max);
  const show = () => {
    const length = [...text.value].length; // characters, as the server counts, not UTF-16 units
    counter.textContent = `${length} / ${most} 字`;
    counter.classList.toggle('over', length > most);
  };
  text.addEventListener('input', show);
  show();
}
