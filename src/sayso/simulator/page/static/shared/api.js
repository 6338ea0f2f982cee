// Talking to the simulator: control calls, and the one live stream.

// Calls the control API; refusals come as errors with the simulator's own words.
export async function call(path, body, method = "POST") {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error?.message ?? said.error ?? `HTTP ${answer.status}`);
  return said;
}

const AGAIN_MS = 1000;

export const get = (path) => call(path, undefined, "GET");

// Follows what happens. `snapshot` says how everything stands, `happened` is a list of [kind, data]; a page
// that fell behind is given a snapshot again.
export function listen(query, told) {
  const stream = new EventSource(`/_sim/events${query()}`);
  stream.addEventListener("snapshot", (event) => told.snapshot(JSON.parse(event.data)));
  stream.addEventListener("happened", (event) => told.happened(JSON.parse(event.data)));
  stream.addEventListener("open", () => told.connected(true));
  stream.addEventListener("error", () => {
    stream.close();
    told.connected(false);
    setTimeout(() => listen(query, told), AGAIN_MS);
  });
}

// Runs `work` soon, at most once per frame and not more often than every `pause` milliseconds.
export function paced(work, pause = 0) {
  let waiting = false;
  let last = 0;
  const run = () => {
    waiting = false;
    last = performance.now();
    work();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    const left = last + pause - performance.now();
    if (document.hidden || left > 16) setTimeout(run, Math.max(left, 50));
    else requestAnimationFrame(run);
  };
}

export async function copyText(text) {
  await navigator.clipboard.writeText(text);
}
