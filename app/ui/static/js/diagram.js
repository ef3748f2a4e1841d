// Draws the read-only diagram; `DiagramViewer` comes from dist/bpmn-viewer.js.

const ids = (text) => (text ?? '').split(' ').filter(Boolean);

export const diagrams = {
  selector: '[data-bpmn-src]',
  async start(container) {
    const { bpmnSrc, done, current, overdue, badges, counts } = container.dataset;
    try {
      const response = await fetch(bpmnSrc, { credentials: 'same-origin' });
      if (!response.ok) throw new Error(`diagram: ${response.status}`);
      await window.DiagramViewer.show(container, await response.text(), {
        done: ids(done),
        current: ids(current),
        overdue: ids(overdue),
        badges: JSON.parse(badges || '{}'),
        counts: JSON.parse(counts || '{}'),
      });
      container.dataset.ready = 'yes';
    } catch (error) {
      container.replaceChildren(failed());
      console.error(error);
    }
  },
};

function failed() {
  const text = document.createElement('p');
  text.className = 'failed';
  text.textContent = '流程图暂时无法显示，进度请看办理轨迹';
  return text;
}
