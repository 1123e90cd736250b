// A shopper's devices. Everything goes through the JSON interface.

import { Live } from "/live.js";
import { call, element, isBusy, onClick, onSubmit, reason, result, run, say, send, text } from "/page.js";

// --- what the buttons do ---------------------------------------------------------------------------------------

/** Asks for the list and shows it. */
async function list() {
  const reply = await call("GET", "/api/sessions");
  if (reply.ok || reply.status === 401) {
    show(reply.ok ? reply.answer : null);
  }
  return reply;
}

async function end(device) {
  const reply = await call("DELETE", `/api/sessions/${device.handle}`);
  if (!reply.ok && reply.status !== 404) {
    return complain(reply);
  }
  if (device.current) {
    return leave("You are signed out, and the cookie is gone.");
  }
  const after = await list();
  if (!after.ok) {
    return complain(after);
  }
  say(reply.ok ? `Signed out: ${describe(device)}.` : "That one had ended already.");
  element("devices-title").focus();
}

async function endOthers() {
  const reply = await call("POST", "/api/logout-others");
  const after = reply.ok ? await list() : reply;
  if (!after.ok) {
    return complain(after);
  }
  say(`Sessions ended: ${reply.answer.ended}. This one goes on.`);
  element("devices-title").focus();
}

async function endAll() {
  const reply = await call("POST", "/api/logout-everywhere");
  if (!reply.ok) {
    return complain(reply);
  }
  leave(`You are signed out everywhere. Sessions ended: ${reply.answer.ended}.`);
}

async function sudo() {
  const reply = await call("POST", "/api/sudo");
  if (reply.status === 401) {
    return complain(reply);
  }
  result("sudo", reply.ok ? "Done: you signed in less than a minute ago." : reason(reply), reply.ok);
  element("proof").hidden = reply.answer?.error !== "not_fresh";
  if (!element("proof").hidden) {
    element("name").focus();
  }
}

async function prove() {
  const reply = await call("POST", "/api/reauthenticate", { name: element("name").value });
  if (!reply.ok) {
    return complain(reply);
  }
  element("proof").reset();
  element("proof").hidden = true;
  // The session has another id, and so another handle.
  const after = await list();
  if (!after.ok) {
    return complain(after);
  }
  say("It is you. The session goes on under a fresh id.");
  result("sudo", "Now it is allowed again, for a minute.", true);
  element("sudo").focus();
}

// --- showing ---------------------------------------------------------------------------------------------------

/** The devices; `null` if nobody is signed in. */
function show(devices) {
  element("nobody").hidden = devices !== null;
  element("somebody").hidden = devices === null;
  for (const fieldset of document.querySelectorAll(".needs-session")) {
    fieldset.disabled = devices === null;
  }
  element("count").textContent = devices === null ? "" : `${devices.length} signed in`;
  element("devices").replaceChildren(...(devices ?? []).map(row));
  if (devices === null) {
    element("proof").hidden = true;
    result("sudo", "");
    live.close();
  } else {
    live.open();
  }
}

function row(device) {
  const about = document.createElement("div");
  const name = text("p", describe(device));
  name.className = "device";
  name.title = device.user_agent ?? "";
  if (device.current) {
    const mark = text("span", "This device");
    mark.className = "mark";
    name.append(" ", mark);
  }
  const where = device.address ?? "address unknown";
  const facts = text("p", `${where} · signed in ${time(device.created_at)} · last seen ${time(device.last_seen_at)}`);
  facts.className = "hint";
  about.append(name, facts);
  const button = text("button", device.current ? "Sign out here" : "Sign out");
  button.type = "button";
  button.setAttribute("aria-label", `${button.textContent}: ${describe(device)}, signed in ${time(device.created_at)}`);
  button.addEventListener("click", () => run(() => end(device), button));
  const item = document.createElement("li");
  item.dataset.handle = device.handle;
  item.append(about, button);
  return item;
}

/** A few words for what the client said of itself. It may have said anything. */
function describe(device) {
  const agent = device.user_agent;
  if (agent === null) {
    return "A client that does not say what it is";
  }
  const known = (names) => names.find(([part]) => agent.includes(part))?.[1];
  const browser = known([
    ["Edg/", "Edge"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
    ["curl/", "curl"],
  ]);
  const system = known([
    ["Android", "Android"],
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Windows", "Windows"],
    ["Mac OS X", "macOS"],
    ["Linux", "Linux"],
  ]);
  return browser && system ? `${browser} on ${system}` : (browser ?? agent);
}

function time(millis) {
  return new Date(millis).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function leave(said) {
  show(null);
  say(said);
}

/** The server refused: says why. */
function complain(reply) {
  if (reply.status === 401) {
    show(null);
  }
  say(reason(reply), true);
}

// --- live ------------------------------------------------------------------------------------------------------

const live = new Live(async () => {
  const reply = await send("GET", "/api/sessions");
  if (isBusy() || (!reply.ok && reply.status !== 401)) {
    return null;
  }
  if (reply.ok) {
    show(reply.answer);
  } else {
    leave("You are signed out: the session was ended elsewhere.");
  }
  return reply.ok;
});

// --- wiring ----------------------------------------------------------------------------------------------------

onClick("others", endOthers);
onClick("everywhere", endAll);
onClick("sudo", sudo);
onSubmit("proof", prove);

run(async () => {
  const reply = await list();
  if (reply.ok) {
    say("These are the sessions of your name.");
  } else if (reply.status === 401) {
    say("You are not signed in.");
  } else {
    complain(reply);
  }
});
