// Tells the 12345 page that shows or opened this one which number its ticket has. Only its origin,
// which the profile names, can hear it.
const receipt = document.querySelector('[data-tell]');
const owner = window.parent === window ? window.opener : window.parent;

owner?.postMessage(
  {
    type: '12317.submitted',
    acceptance_no: receipt.dataset.acceptanceNo,
    external_ticket_no: receipt.dataset.externalTicketNo ?? null,
  },
  receipt.dataset.tell,
);
