// What all pages share: talking to the server, and saying what came of it. Whatever comes from the server or from
// a person is put into a page as text, never as HTML.

const LOG_LENGTH = 12;

export const element = (id) => document.getElementById(id);

export function text(name, content) {
  const node = document.createElement(name);
  node.textContent = content;
  return node;
}

// --- talking to the server -------------------------------------------------------------------------------------

/** One request. Answers status and body; throws only where no server answers. */
export async function send(method, path, body) {
  const started = performance.now();
  const response = await fetch(path, {
    method,
    cache: "no-store",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const took = Math.round(performance.now() - started);
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // A 204 has no body.
  }
  return { method, path, status: response.status, ok: response.ok, text, answer, took };
}

/** One request, shown in the list of what the server said. */
export async function call(method, path, body) {
  const reply = await send(method, path, body);
  log(`${method} ${path}`, `${reply.status}`, reply.ok, reply.text, reply.took);
  return reply;
}

// --- saying what happened --------------------------------------------------------------------------------------

export function say(message, bad = false) {
  const status = element("status");
  status.textContent = message;
  status.classList.toggle("bad", bad);
}

/** What is to be told of a refusal: the server's own words, unless they are for programs. */
export function reason(reply) {
  const words = { not_fresh: "You signed in too long ago for this.", too_many_sessions: "You have too many sessions." };
  const error = reply.answer?.error;
  return words[error] ?? error ?? `The server answered ${reply.status}.`;
}

export function result(what, message, good) {
  const place = element(`${what}-result`);
  place.textContent = message;
  place.classList.toggle("good", good === true);
  place.classList.toggle("bad", good === false);
}

export function log(request, status, good, body, took) {
  element("log-empty").hidden = true;
  const row = document.createElement("li");
  const outcome = text("b", status);
  outcome.className = good ? "good" : "";
  const shown = body.length > 120 ? `${body.slice(0, 120)}…` : body;
  row.append(outcome, `${request} `, text("span", `${shown} (${took} ms)`));
  const list = element("log");
  list.prepend(row);
  while (list.children.length > LOG_LENGTH) {
    list.lastChild.remove();
  }
}

// --- wiring ----------------------------------------------------------------------------------------------------

let busy = false;

/** Whether an action is under way. */
export const isBusy = () => busy;

/** Runs one action at a time, and says so if the server cannot be reached. */
export async function run(action, control) {
  if (busy) {
    return;
  }
  busy = true;
  control?.setAttribute("aria-busy", "true");
  try {
    await action();
  } catch (error) {
    if (!(error instanceof TypeError)) {
      throw error;
    }
    say("The server does not answer. Is the demo still running?", true);
    for (const place of document.querySelectorAll(".result")) {
      place.textContent = "";
    }
  } finally {
    control?.removeAttribute("aria-busy");
    busy = false;
  }
}

export function onSubmit(id, action) {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    run(action, event.submitter);
  });
}

export function onClick(id, action) {
  element(id).addEventListener("click", (event) => run(action, event.currentTarget));
}
