// The read-only diagram of a page: what is done, where the ticket stands, what is late.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import './viewer.css';
import { highlight } from './highlight.js';
import { addTools } from './tools.js';

/**
 * Draws `xml` into `container` and marks it.
 *
 * state: {done: [ids], current: [ids], overdue: [ids], badges: {id: text}, counts: {id: number}};
 * ids the diagram does not know are passed over, because a ticket may stand on an older version.
 * The wheel scrolls the page, not the diagram; people drag, or use the buttons.
 * Returns {viewer, showAll, showCurrent}.
 */
export async function show(container, xml, state = {}) {
  const viewer = new NavigatedViewer({ container, zoomScroll: { enabled: false } });
  await viewer.importXML(xml);
  highlight(viewer, state);
  return addTools(viewer, container, [...(state.overdue ?? []), ...(state.current ?? [])]);
}
