// Calls to the sandbox: the state every 700 ms, and one POST for each step.

const POLL_MS = 700;
let latest = 0;

/** Call `show(state)` now and with each new state, and `lost(true|false)` when the sandbox stops or is back. */
export async function watch(show, lost) {
  const started = ++latest;
  try {
    const response = await fetch("/app/state");
    const state = await response.json();
    // A step in the meantime has returned a newer state.
    if (started === latest) show(state);
    lost(false);
  } catch {
    lost(true);
  }
  setTimeout(watch, POLL_MS, show, lost);
}

/** Take one step; return `{message, state}`, also when the app refuses. */
export async function act(action, body = {}) {
  latest += 1;
  const response = await fetch(`/app/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  latest += 1;
  const answer = await response.json();
  if (!answer.state) throw new Error(answer.message);
  return answer;
}
