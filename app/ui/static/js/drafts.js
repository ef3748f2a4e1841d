// A form with `data-draft-url` is saved a few seconds after each change, whatever it holds.
import { SIGN_IN_AGAIN, post } from './http.js';

const QUIET_MS = 3000;

export const drafts = {
  selector: 'form[data-draft-url]',
  start(form) {
    const status = form.querySelector('[data-draft-status]');
    let timer = 0;
    let changed = false;

    const save = async () => {
      clearTimeout(timer);
      changed = false;
      const answer = await post(form.dataset.draftUrl, contents(form));
      if (!form.isConnected) return;
      if (!answer.ok) changed = true; // the next change tries again
      say(status, answer);
    };
    const later = () => {
      changed = true;
      clearTimeout(timer);
      timer = setTimeout(save, QUIET_MS);
    };

    form.addEventListener('input', later);
    form.addEventListener('change', later);
    form.addEventListener('submit', () => {
      clearTimeout(timer);
      changed = false;
    });
    form.querySelector('[data-save-draft]')?.addEventListener('click', (event) => {
      event.preventDefault();
      event.stopPropagation();
      save();
    });
    window.addEventListener('pagehide', () => {
      if (changed && form.isConnected) navigator.sendBeacon(form.dataset.draftUrl, contents(form));
    });
  },
};

function contents(form) {
  const data = new FormData(form);
  for (const input of form.querySelectorAll('input[type=file]')) data.delete(input.name);
  return data;
}

function say(status, answer) {
  if (!status) return;
  const time = new Date().toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit' });
  status.classList.toggle('failed', !answer.ok);
  if (answer.ok) status.textContent = `已自动保存 ${answer.data.saved_at ?? time}`;
  else if (answer.status === 401 || answer.status === 0) {
    status.textContent = answer.status ? SIGN_IN_AGAIN : '暂未保存：网络不通';
  } else status.textContent = answer.data.message ?? '暂未保存';
}
