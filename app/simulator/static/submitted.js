// Hears from 12317's form, in a frame or a window of ours, which number the ticket has.
const line = document.querySelector('[data-hears]');

window.addEventListener('message', (event) => {
  if (event.origin !== line.dataset.hears || event.data?.type !== '12317.submitted') return;
  const { acceptance_no: number, external_ticket_no: own } = event.data;
  line.hidden = false;
  line.textContent = `12345工单 ${own ?? '—'} 已受理，受理编号 ${number}`;
});
