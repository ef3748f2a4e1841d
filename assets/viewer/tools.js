// Buttons: whole diagram (全图), where it stands (定位当前), larger, smaller.

const MARGIN = 24;
const READABLE = 0.9;
const STEP = 1.25;

export function addTools(viewer, container, currentIds) {
  const canvas = viewer.get('canvas');
  const registry = viewer.get('elementRegistry');
  const standing = currentIds.map((id) => registry.get(id)).filter((element) => element?.width);

  const showAll = () => {
    const box = canvas.viewbox().inner;
    canvas.viewbox(grown(box, container));
  };
  const showCurrent = () => {
    if (!standing.length) return showAll();
    const box = around(standing);
    const scale = Math.min(READABLE, container.clientWidth / (box.width + 2 * MARGIN));
    const [width, height] = [container.clientWidth / scale, container.clientHeight / scale];
    return canvas.viewbox({
      x: box.x + box.width / 2 - width / 2,
      y: box.y + box.height / 2 - height / 2,
      width,
      height,
    });
  };

  const bar = document.createElement('div');
  bar.className = 'diagram-tools';
  bar.append(
    button('全图', showAll),
    ...(standing.length ? [button('定位当前', showCurrent)] : []),
    button('＋', () => canvas.zoom(canvas.zoom() * STEP), '放大'),
    button('－', () => canvas.zoom(canvas.zoom() / STEP), '缩小'),
  );
  container.append(bar);
  showCurrent();
  return { viewer, showAll, showCurrent };
}

function button(text, action, label) {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  if (label) element.setAttribute('aria-label', label);
  element.addEventListener('click', action);
  return element;
}

function around(elements) {
  const left = Math.min(...elements.map((one) => one.x));
  const top = Math.min(...elements.map((one) => one.y));
  const right = Math.max(...elements.map((one) => one.x + one.width));
  const bottom = Math.max(...elements.map((one) => one.y + one.height));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

// The box with a margin, in the container's proportions, never drawn larger than life.
function grown(box, container) {
  const wide = box.width + 2 * MARGIN;
  const high = box.height + 2 * MARGIN;
  const scale = Math.min(1, container.clientWidth / wide, container.clientHeight / high);
  const [width, height] = [container.clientWidth / scale, container.clientHeight / scale];
  return {
    x: box.x + box.width / 2 - width / 2,
    y: box.y + box.height / 2 - height / 2,
    width,
    height,
  };
}
