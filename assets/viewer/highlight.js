// Markers and badges on elements.

const MARKERS = { done: 'is-done', current: 'is-current', overdue: 'is-overdue' };
const BADGES = {
  badges: { className: 'diagram-badge', position: { bottom: 10, left: 4 } },
  counts: { className: 'diagram-badge diagram-count', position: { top: -10, right: 14 } },
};

export function highlight(viewer, state) {
  const registry = viewer.get('elementRegistry');
  const canvas = viewer.get('canvas');
  for (const [kind, marker] of Object.entries(MARKERS)) {
    for (const id of state[kind] ?? []) {
      if (registry.get(id)) canvas.addMarker(id, marker);
    }
  }
  for (const [kind, look] of Object.entries(BADGES)) {
    for (const [id, text] of Object.entries(state[kind] ?? {})) {
      if (registry.get(id)) addBadge(viewer.get('overlays'), id, String(text), look);
    }
  }
}

function addBadge(overlays, id, text, { className, position }) {
  const html = document.createElement('div');
  html.className = className;
  html.textContent = text;
  overlays.add(id, { position, html });
}
