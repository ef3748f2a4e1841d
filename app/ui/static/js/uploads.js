// Files are sent as they are chosen: a refused form then keeps them, as ids in hidden inputs.
import { SIGN_IN_AGAIN, csrfToken } from './http.js';

const MEGABYTE = 1024 * 1024;
const LIMIT = 50 * MEGABYTE;

export const uploads = {
  selector: 'input[type=file][data-upload-url]',
  start(input) {
    const { uploadUrl, uploadField } = input.dataset;
    if (!uploadUrl) return;
    input.removeAttribute('name'); // the ids travel, not the bytes
    const box = input.closest('.field');
    const list = box.querySelector('[data-files-of]');
    const row = box.querySelector('template[data-file-row]');
    const most = Number(input.dataset.maxFiles || 10);

    const take = (files) => {
      for (const file of files) {
        const item = row.content.firstElementChild.cloneNode(true);
        item.querySelector('.name').textContent = file.name;
        item.querySelector('.size').textContent = sized(file.size);
        list.append(item);
        if (list.children.length > most) refuse(item, `最多 ${most} 个文件`);
        else if (file.size > LIMIT) refuse(item, '单个文件不能超过 50 MB');
        else send(uploadUrl, uploadField, file, item);
      }
    };
    input.addEventListener('change', () => {
      take([...input.files]);
      input.value = '';
    });
    list.addEventListener('click', (event) => {
      if (!event.target.closest('[data-remove-file]')) return;
      const form = input.form;
      event.target.closest('li').remove();
      form?.dispatchEvent(new Event('change'));
    });
    acceptDrops(box.querySelector('[data-drop]'), take);
  },
};

function send(url, field, file, item) {
  const request = new XMLHttpRequest(); // fetch does not report upload progress
  const bar = item.querySelector('progress');
  const form = item.closest('form');
  request.upload.addEventListener('progress', (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  request.addEventListener('load', () => {
    const answer = request.response ?? {};
    if (answer.id) keep(item, field, answer);
    else refuse(item, answer.message ?? reason(request.status));
    form?.dispatchEvent(new Event('change'));
  });
  request.addEventListener('error', () => refuse(item, '网络不通，请重新选择此文件'));
  request.open('POST', url);
  request.responseType = 'json';
  request.setRequestHeader('Accept', 'application/json');
  request.setRequestHeader('X-CSRFToken', csrfToken());
  const body = new FormData();
  body.append('field', field);
  body.append('file', file);
  item.dataset.uploading = 'yes';
  request.send(body);
}

// Without an answer of ours: the proxy's limit, or the sign-in page behind a redirect.
function reason(status) {
  if (status === 413) return '文件太大';
  return status === 200 || status === 401 ? SIGN_IN_AGAIN : '上传失败，请重试';
}

function keep(item, field, answer) {
  delete item.dataset.uploading;
  item.querySelector('progress')?.remove();
  const hidden = document.createElement('input');
  Object.assign(hidden, { type: 'hidden', name: field, value: answer.id });
  item.append(hidden);
  if (answer.name) item.querySelector('.name').textContent = answer.name;
  if (answer.size) item.querySelector('.size').textContent = answer.size;
}

function refuse(item, message) {
  delete item.dataset.uploading;
  item.classList.add('failed');
  item.querySelector('progress')?.remove();
  const text = document.createElement('span');
  text.className = 'problem';
  text.textContent = message;
  item.append(text);
}

function acceptDrops(zone, take) {
  const mark = (over) => (event) => {
    event.preventDefault();
    zone.classList.toggle('over', over);
  };
  zone.addEventListener('dragover', mark(true));
  zone.addEventListener('dragleave', mark(false));
  zone.addEventListener('drop', (event) => {
    mark(false)(event);
    take([...event.dataTransfer.files]);
  });
}

function sized(bytes) {
  if (bytes >= MEGABYTE) return `${(bytes / MEGABYTE).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(bytes / 1024))} KB`;
}
