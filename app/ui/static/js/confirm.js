// Buttons with `data-confirm` ask before they act, in the page's own dialog; a form must be filled in first.

export function askFirst() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-confirm]');
    if (!button || button.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (button.form && !button.form.noValidate && !button.form.reportValidity()) return;
    ask(button.dataset.confirm).then((yes) => {
      if (!yes) return;
      button.dataset.confirmed = 'yes';
      button.click();
      delete button.dataset.confirmed;
    });
  }, true);
}

function ask(question) {
  const dialog = document.createElement('dialog');
  dialog.className = 'ask';
  const text = document.createElement('p');
  text.textContent = question;
  const form = document.createElement('form');
  form.method = 'dialog';
  form.append(choice('取消', 'no', 'btn btn-plain'), choice('确定', 'yes', 'btn btn-primary'));
  dialog.append(text, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

function choice(text, value, className) {
  const button = document.createElement('button');
  Object.assign(button, { type: 'submit', value, className, textContent: text });
  return button;
}
