// A button with `data-copy` puts the text of that element on the clipboard, and says so.

export const copy = {
  selector: '[data-copy]',
  start(button) {
    const label = button.querySelector('span') ?? button;
    const before = label.textContent;
    button.addEventListener('click', async () => {
      const text = document.getElementById(button.dataset.copy).textContent.trim();
      label.textContent = (await put(text)) ? '已复制' : '请手动复制';
      setTimeout(() => label.replaceChildren(before), 2000);
    });
  },
};

// The clipboard interface exists on secure pages only; intranets often have none.
async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = document.createElement('textarea');
    box.value = text;
    box.className = 'visually-hidden';
    document.body.append(box);
    box.select();
    const done = document.execCommand('copy');
    box.remove();
    return done;
  }
}
