// The page "Your devices" in a real browser, and several of them: each context has cookies of its own.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { DESKTOP, PHONE, assertControls, faint, launch, troublesOf } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 " +
  "Mobile/15E148 Safari/604.1";

let demo;
let browser;
let devices = [];

before(async () => {
  demo = new Demo();
  await demo.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await demo?.remove();
});

afterEach(async () => {
  const closed = devices;
  devices = [];
  for (const device of closed) {
    await device.context.close();
    assert.deepEqual(device.troubles.flat(), []);
  }
});

/** A browser with cookies of its own. */
class Device {
  static async open(options = {}) {
    const device = new Device();
    device.context = await browser.newContext({ viewport: DESKTOP, ...options });
    device.context.setDefaultTimeout(10_000);
    device.troubles = [];
    // Those which a test is about: hearing that one is signed out, is not fresh, or that the server is not there.
    device.expected = /status of 401/;
    devices.push(device);
    device.page = await device.tab("/");
    return device;
  }

  /** One that is signed in, and follows its session. */
  static async signedIn(name, { remember = false, ...options } = {}) {
    const device = await Device.open(options);
    await device.page.getByLabel("Name", { exact: true }).fill(name);
    if (remember) {
      await device.page.getByLabel("Remember me on this device").check();
    }
    await button(device.page, "Sign in").click();
    await says(device.page, `Welcome, ${name}.`);
    await isLive(device.page);
    return device;
  }

  async tab(path) {
    const page = await this.context.newPage();
    this.troubles.push(troublesOf(page, demo.url, () => this.expected));
    await page.goto(demo.url + path);
    return page;
  }

  /** The list of devices, in a tab that follows the session. */
  async list() {
    const page = await this.tab("/devices");
    await isLive(page);
    return page;
  }

  async cookie() {
    return (await this.context.cookies()).find((cookie) => cookie.name === "sid");
  }
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const says = (page, text) => page.locator("#status", { hasText: text }).waitFor();
const isLive = (page) => page.locator("#live", { hasText: "Live:" }).waitFor();
const rows = (page) => page.locator("#devices li");
const ELSEWHERE = "You are signed out: the session was ended elsewhere.";

test("a session that is ended from another browser is seen to end, at once and without a reload", async () => {
  const laptop = await Device.signedIn("rita");
  const phone = await Device.signedIn("rita", { userAgent: IPHONE });
  const phones = await phone.list();
  const list = await laptop.list();
  assert.equal(await rows(list).count(), 2);

  await rows(list).filter({ hasText: "Safari on iPhone" }).getByRole("button").click();
  await says(list, "Signed out: Safari on iPhone.");
  assert.equal(await rows(list).count(), 1);

  // Both of its tabs. Nobody touched them.
  await says(phone.page, ELSEWHERE);
  await phone.page.getByLabel("Name", { exact: true }).waitFor();
  assert.equal(await button(phone.page, "Add").isDisabled(), true);
  await says(phones, ELSEWHERE);
  assert.equal(await rows(phones).count(), 0);
  await phones.getByRole("link", { name: "Sign in in the shop" }).waitFor();

  // The laptop goes on, and the phone can come back.
  await laptop.page.reload();
  await says(laptop.page, "You are signed in as rita.");
  await phone.page.getByLabel("Name", { exact: true }).fill("rita");
  await button(phone.page, "Sign in").click();
  await isLive(phone.page);
});

test("the list marks the current device, and says of all what they are and from where", async () => {
  const laptop = await Device.signedIn("lena");
  const phone = await Device.signedIn("lena", { userAgent: IPHONE });
  await Device.signedIn("somebody else");
  for (const [device, mine, other] of [
    [laptop, /^Chrome on /, "Safari on iPhone"],
    [phone, /^Safari on iPhone/, "Chrome on "],
  ]) {
    const list = await device.list();
    assert.equal(await list.locator("#count").innerText(), "2 signed in");
    const current = rows(list).filter({ hasText: "This device" });
    assert.equal(await current.count(), 1);
    assert.match(await current.innerText(), mine);
    assert.match(await current.innerText(), /127\.0\.0\.1 · signed in .* · last seen /);
    await current.getByRole("button", { name: /^Sign out here: / }).waitFor();
    assert.equal(await rows(list).filter({ hasText: other }).count(), 1);
    const value = (await device.cookie()).value;
    assert.ok(!(await list.content()).includes(value.split(".")[0]), "the id is nowhere in the page");
  }
});

test("sign out everywhere signs every browser and every tab out, this one too", async () => {
  const here = await Device.signedIn("eva");
  const there = await Device.signedIn("eva");
  const bystander = await Device.signedIn("bo");
  const list = await here.list();
  await button(list, "Sign out everywhere").click();
  await says(list, "You are signed out everywhere. Sessions ended: 2.");
  assert.equal(await here.cookie(), undefined);
  await says(here.page, ELSEWHERE);
  await says(there.page, ELSEWHERE);
  await bystander.page.reload();
  await says(bystander.page, "You are signed in as bo.");
});

test("sign out the others keeps this one", async () => {
  const here = await Device.signedIn("olga");
  const others = [await Device.signedIn("olga"), await Device.signedIn("olga")];
  const list = await here.list();
  assert.equal(await rows(list).count(), 3);
  await button(list, "Sign out the others").click();
  await says(list, "Sessions ended: 2. This one goes on.");
  assert.equal(await rows(list).count(), 1);
  for (const other of others) {
    await says(other.page, ELSEWHERE);
  }
  await isLive(here.page);
  await rows(list).getByRole("button").click();
  await says(list, "You are signed out, and the cookie is gone.");
  assert.equal(await here.cookie(), undefined);
  await says(here.page, ELSEWHERE);
});

test("only the cookie of somebody who wants to be remembered outlasts the browser", async () => {
  const brief = await (await Device.signedIn("ada")).cookie();
  assert.equal(brief.expires, -1);
  const remembered = await (await Device.signedIn("ada", { remember: true })).cookie();
  const days = (remembered.expires - Date.now() / 1000) / 86_400;
  assert.ok(days > 89 && days < 91, `${days} days`);
});

test("something dangerous needs a fresh sign-in, and proving anew who one is makes it fresh", async () => {
  const ada = await Device.signedIn("ada");
  const list = await ada.list();
  await button(list, "Do it").click();
  await list.locator("#sudo-result.good", { hasText: "Done" }).waitFor();

  // What the server says a minute later; that it does is tested where the clock can be set.
  ada.expected = /status of 40[13]/;
  const stale = { status: 403, json: { error: "not_fresh" } };
  await list.route("**/api/sudo", (route) => route.fulfill(stale), { times: 1 });
  await button(list, "Do it").click();
  await list.locator("#sudo-result.bad", { hasText: "too long ago" }).waitFor();

  const before = await ada.cookie();
  const name = list.getByLabel("Who are you? Your name again");
  await name.fill("eve");
  await button(list, "It is me").click();
  await says(list, "that is not the name that you signed in with");
  assert.deepEqual(await ada.cookie(), before);
  await name.fill("ada");
  await button(list, "It is me").click();
  await says(list, "It is you. The session goes on under a fresh id.");
  assert.notEqual((await ada.cookie()).value, before.value);
  await button(list, "Do it").click();
  await list.locator("#sudo-result.good", { hasText: "Done" }).waitFor();

  // The other tab noticed that the id changed, and follows the new one.
  const other = await Device.signedIn("ada");
  await isLive(ada.page);
  await button(await other.list(), "Sign out the others").click();
  await says(ada.page, ELSEWHERE);
  await says(list, ELSEWHERE);
});

test("after a restart of the server pages follow their session again", async () => {
  const laptop = await Device.signedIn("nina");
  const phone = await Device.signedIn("nina");
  for (const device of [laptop, phone]) {
    device.expected = /status of 401|ERR_CONNECTION_REFUSED/;
  }
  assert.equal(await demo.stop(), 0);
  await phone.page.locator("#live", { hasText: "Not connected" }).waitFor();
  await demo.start();
  await isLive(phone.page);
  await button(await laptop.list(), "Sign out the others").click();
  await says(phone.page, ELSEWHERE);
});

for (const colorScheme of ["light", "dark"]) {
  test(`on a phone the list is not cut off, readable, and large enough for fingers (${colorScheme})`, async () => {
    const options = { viewport: PHONE, colorScheme };
    const phone = await Device.signedIn("m".repeat(100), { ...options, userAgent: "W".repeat(250) });
    const list = await phone.list();
    await button(list, "Do it").click();
    await list.locator("#sudo-result.good").waitFor();
    assert.equal(await list.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    assert.deepEqual(await list.evaluate(faint), []);
    await assertControls(list, assert);
  });
}
