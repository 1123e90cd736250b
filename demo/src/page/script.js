// Everything on this page goes through the JSON interface. Whatever comes from the server or from a person is
// put into the page as text, never as HTML.

const LOG_LENGTH = 12;
const PARALLEL = 20;

const element = (id) => document.getElementById(id);

/** What the server last said of the session; `null` for nobody. */
let account = null;

// --- talking to the server -------------------------------------------------------------------------------------

/** One request. Answers status and body; throws only where no server answers. */
async function send(method, path, body) {
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
async function call(method, path, body) {
  const reply = await send(method, path, body);
  log(`${method} ${path}`, `${reply.status}`, reply.ok, reply.text, reply.took);
  return reply;
}

// --- what the buttons do ---------------------------------------------------------------------------------------

async function whoAmI() {
  const reply = await call("GET", "/api/me");
  if (reply.ok || reply.status === 401) {
    show(reply.ok ? reply.answer : null);
  }
  return reply;
}

async function login() {
  const reply = await call("POST", "/api/login", { name: element("name").value });
  if (!reply.ok) {
    return complain(reply);
  }
  element("login").reset();
  forgetResults();
  show(reply.answer);
  say(`Welcome, ${reply.answer.name}. Your cart is empty.`);
  element("item").focus();
}

async function leave(path, said) {
  const reply = await call("POST", path);
  if (!reply.ok) {
    return complain(reply);
  }
  show(null);
  element("visits").textContent = "";
  say(said);
  element("name").focus();
}

async function add() {
  const item = element("item");
  const reply = await call("POST", "/api/cart", { item: item.value, work_ms: 5 });
  if (!reply.ok) {
    return complain(reply);
  }
  element("add").reset();
  show(reply.answer);
  const added = reply.answer.cart.at(-1);
  say(`Added ${added}. Items in the cart: ${reply.answer.cart.length}.`);
  item.focus();
}

async function addInParallel() {
  result("parallel", "Twenty requests are on their way …");
  const before = await whoAmI();
  if (!before.ok) {
    return complain(before);
  }
  const started = performance.now();
  const adds = Array.from({ length: PARALLEL }, () =>
    send("POST", "/api/cart", { item: "biscuit", work_ms: 5 }));
  const replies = await Promise.all(adds);
  const took = Math.round(performance.now() - started);
  const stored = replies.filter((reply) => reply.ok).length;
  log(`POST /api/cart, ${PARALLEL} in parallel`, `${stored} × 200`, stored === PARALLEL, "", took);

  const after = await whoAmI();
  if (!after.ok) {
    return complain(after);
  }
  const [from, to] = [before.answer.cart.length, after.answer.cart.length];
  const lost = from + stored - to;
  const kept = stored === PARALLEL && lost <= 0;
  result(
    "parallel",
    `${PARALLEL} sent, ${stored} acknowledged in ${took} ms. The cart went from ${from} to ${to}: ` +
      (lost <= 0 ? "none was lost." : `${lost} lost!`),
    kept,
  );
}

async function signOutDuringSave() {
  result("race", "Saving slowly …");
  const save = call("POST", "/api/cart/save", { item: "late item", work_ms: 1000 });
  // Later than the save has read the session, sooner than it writes.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const logout = await call("POST", "/api/logout");
  const [saved, now] = [await save, await whoAmI()];
  if (!logout.ok) {
    return complain(logout);
  }
  const refused = saved.status === 401 && now.status === 401;
  result(
    "race",
    refused
      ? "The late save was refused with 401, and you are signed out."
      : `The late save was answered with ${saved.status}, and asking who you are with ${now.status}.`,
    refused,
  );
  element("visits").textContent = "";
  say("You are signed out.");
  element("name").focus();
}

async function visit() {
  const reply = await call("POST", "/api/visit");
  if (!reply.ok) {
    return complain(reply);
  }
  element("visits").textContent = `${reply.answer.visits} counted`;
  say(`Visits counted: ${reply.answer.visits}.`);
}

// --- showing ---------------------------------------------------------------------------------------------------

function show(newAccount) {
  account = newAccount;
  element("login").hidden = account !== null;
  element("account").hidden = account === null;
  element("who").textContent = account?.name ?? "";
  for (const fieldset of document.querySelectorAll(".needs-session")) {
    fieldset.disabled = account === null;
  }
  showCart(account?.cart ?? []);
}

function showCart(cart) {
  const amounts = new Map();
  for (const item of cart) {
    amounts.set(item, (amounts.get(item) ?? 0) + 1);
  }
  const rows = Array.from(amounts, ([item, amount]) => {
    const row = document.createElement("li");
    row.append(text("div", item));
    if (amount > 1) {
      row.append(text("span", `× ${amount}`));
    }
    return row;
  });
  const list = element("cart");
  list.replaceChildren(...rows);
  // A list that scrolls has to be reachable with the keyboard.
  if (list.scrollHeight > list.clientHeight) {
    list.tabIndex = 0;
  } else {
    list.removeAttribute("tabindex");
  }
  element("count").textContent = account === null ? "" : `${cart.length} ${cart.length === 1 ? "item" : "items"}`;
  element("empty").hidden = cart.length > 0;
  element("empty").textContent = account === null ? "Sign in to fill a cart." : "Nothing in it yet.";
}

function say(message, bad = false) {
  const status = element("status");
  status.textContent = message;
  status.classList.toggle("bad", bad);
}

/** The server refused: says why, in its own words. */
function complain(reply) {
  if (reply.status === 401) {
    show(null);
  }
  say(reply.answer?.error ?? `The server answered ${reply.status}.`, true);
  forgetResults();
}

function result(what, message, good) {
  const place = element(`${what}-result`);
  place.textContent = message;
  place.classList.toggle("good", good === true);
  place.classList.toggle("bad", good === false);
}

function forgetResults() {
  result("parallel", "");
  result("race", "");
}

function log(request, status, good, body, took) {
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

function text(name, content) {
  const node = document.createElement(name);
  node.textContent = content;
  return node;
}

// --- wiring ----------------------------------------------------------------------------------------------------

let busy = false;

/** Runs one action at a time, and says so if the server cannot be reached. */
async function run(action, control) {
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
    forgetResults();
  } finally {
    control?.removeAttribute("aria-busy");
    busy = false;
  }
}

function onSubmit(id, action) {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    run(action, event.submitter);
  });
}

function onClick(id, action) {
  element(id).addEventListener("click", (event) => run(action, event.currentTarget));
}

onSubmit("login", login);
onSubmit("add", add);
onClick("logout", () => leave("/api/logout", "You are signed out, and the cookie is gone."));
onClick("destroy", () => leave("/api/destroy", "The session has ended. The cookie is still there and opens nothing."));
onClick("parallel", addInParallel);
onClick("race", signOutDuringSave);
onClick("visit", visit);

run(async () => {
  const reply = await whoAmI();
  if (reply.ok) {
    say(`You are signed in as ${reply.answer.name}.`);
  } else if (reply.status === 401) {
    say("You are not signed in.");
  } else {
    complain(reply);
  }
});
