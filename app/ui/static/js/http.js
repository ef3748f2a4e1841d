// Requests of our own scripts: same origin, with the CSRF token of the page.

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? '';
}

/** POSTs a form; answers {ok, status, data}: status 0 without network, 401 when signed out. */
export async function post(url, body) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { Accept: 'application/json', 'X-CSRFToken': csrfToken() },
      credentials: 'same-origin',
      redirect: 'manual',
    });
    if (response.type === 'opaqueredirect') return { ok: false, status: 401, data: {} }; // to sign-in
    return { ok: response.ok, status: response.status, data: await json(response) };
  } catch {
    return { ok: false, status: 0, data: {} };
  }
}

async function json(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

export const SIGN_IN_AGAIN = '登录已超时，请在新窗口登录后继续，本页内容不会丢失';
