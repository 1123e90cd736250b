// The shop. Everything goes through the JSON interface.

import { Live } from "/live.js";
import { call, element, isBusy, log, onClick, onSubmit, reason, result, run, say, send, text } from "/page.js";

const PARALLEL = 20;

/** What the server last said of the session; `null` for nobody. */
let account = null;

// --- what the buttons do ---------------------------------------------------------------------------------------

async function whoAmI() {
  const reply = await call("GET", "/api/me");
  if (reply.ok || reply.status === 401) {
    show(reply.ok ? reply.answer : null);
  }
  return reply;
}

async function login() {
  const reply = await call("POST", "/api/login", {
    name: element("name").value,
    remember: element("remember").checked,
  });
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
  if (account === null) {
    live.close();
  } else {
    live.open();
  }
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

/** The server refused: says why, in its own words. */
function complain(reply) {
  if (reply.status === 401) {
    show(null);
  }
  say(reason(reply), true);
  forgetResults();
}

function forgetResults() {
  result("parallel", "");
  result("race", "");
}

// --- live ------------------------------------------------------------------------------------------------------

const live = new Live(async () => {
  const reply = await send("GET", "/api/me");
  if (isBusy() || (!reply.ok && reply.status !== 401)) {
    return null;
  }
  if (!reply.ok) {
    show(null);
    say("You are signed out: the session was ended elsewhere.");
    forgetResults();
  }
  return reply.ok;
});

// --- wiring ----------------------------------------------------------------------------------------------------

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
