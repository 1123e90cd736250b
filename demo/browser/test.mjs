// The demo's shop in a real browser: `npm ci && npm test`. It needs the demo, built, and Chromium.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { DESKTOP, PHONE, assertControls, faint, launch, troublesOf } from "./browser.mjs";
import { Demo } from "./demo.mjs";

let demo;
let browser;
let context;
let page;
let troubles;
/** Chromium writes an error for every answer from 400 on. Those which a test is about are no trouble. */
let expected;

before(async () => {
  demo = new Demo();
  await demo.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await demo?.remove();
});

beforeEach(() => open(DESKTOP));

afterEach(async () => {
  await context.close();
  assert.deepEqual(troubles, []);
});

/** A visitor with an empty cookie jar. */
async function open(viewport, colorScheme = "light") {
  await context?.close();
  context = await browser.newContext({ viewport, colorScheme });
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
  // Asking who one is and hearing that nobody is signed in.
  expected = /status of 401/;
  troubles = troublesOf(page, demo.url, () => expected);
  await page.goto(demo.url);
  await says("You are not signed in.");
}

const says = (text) => page.locator("#status", { hasText: text }).waitFor();
const button = (name) => page.getByRole("button", { name, exact: true });
const cart = () => page.locator("#cart li").allInnerTexts();
const items = async (rows) => rows.map((row) => row.replace(/\s+/g, " "));
const cookies = async () => (await context.cookies()).filter((cookie) => cookie.name === "sid");

async function signIn(name) {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await button("Sign in").click();
  await says(`Welcome, ${name}.`);
}

async function add(item) {
  await page.getByLabel("Item", { exact: true }).fill(item);
  await button("Add").click();
  await says(`Added ${item}.`);
}

test("sign in, add, twenty in parallel, reload, restart the server, sign out", async () => {
  await signIn("ada");
  await add("tea");
  assert.deepEqual(await items(await cart()), ["tea"]);

  await button("Add 20 in parallel").click();
  const result = page.locator("#parallel-result", { hasText: "none was lost" });
  await result.waitFor();
  assert.match(await result.innerText(), /^20 sent, 20 acknowledged .* from 1 to 21: none was lost\.$/);
  assert.deepEqual(await items(await cart()), ["tea", "biscuit × 20"]);

  await page.reload();
  await says("You are signed in as ada.");
  assert.deepEqual(await items(await cart()), ["tea", "biscuit × 20"]);

  expected = /status of 401|ERR_CONNECTION_REFUSED/;
  assert.equal(await demo.stop(), 0);
  await button("Add 20 in parallel").click();
  await says("The server does not answer.");
  await demo.start();
  await page.reload();
  await says("You are signed in as ada.");
  assert.deepEqual(await items(await cart()), ["tea", "biscuit × 20"]);

  await button("Sign out").click();
  await says("You are signed out");
  assert.deepEqual(await cookies(), []);
  await page.reload();
  await says("You are not signed in.");
  assert.deepEqual(await cart(), []);
});

test("the cookie is out of every script's reach, and signing in changes it", async () => {
  await button("Count a visit").click();
  await says("Visits counted: 1.");
  const [visitor] = await cookies();
  await signIn("ada");
  const [shopper] = await cookies();
  assert.notEqual(visitor.value, shopper.value);
  assert.equal(shopper.httpOnly, true);
  assert.equal(shopper.sameSite, "Lax");
  assert.equal(await page.evaluate(() => document.cookie), "");

  // The number of visits came along.
  await button("Count a visit").click();
  await says("Visits counted: 2.");
  assert.equal(await page.locator("#visits").innerText(), "2 counted");
});

test("a save that comes after the sign-out is refused", async () => {
  await signIn("ada");
  await button("Save slowly and sign out").click();
  await page.locator("#race-result.good", { hasText: "refused with 401" }).waitFor();
  await page.reload();
  await says("You are not signed in.");
});

test("ending the session keeps the cookie, which opens nothing", async () => {
  await signIn("ada");
  const before = await cookies();
  await button("End it, keep the cookie").click();
  await says("The session has ended.");
  assert.deepEqual(await cookies(), before);
  await page.reload();
  await says("You are not signed in.");
});

test("what another page did is noticed", async () => {
  await signIn("ada");
  const other = await context.newPage();
  await other.goto(demo.url);
  await other.getByRole("button", { name: "Sign out", exact: true }).click();
  await other.locator("#status", { hasText: "You are signed out" }).waitFor();

  await says("You are signed out: the session was ended elsewhere.");
  await page.getByLabel("Name", { exact: true }).waitFor();
  assert.equal(await button("Add").isDisabled(), true);
  await other.close();
});

test("what people type is text, whatever it looks like", async () => {
  const name = "<img src=x onerror=alert(1)>";
  await signIn(name);
  await add("<script>alert(2)</script>");
  assert.equal(await page.locator("#who").innerText(), name);
  assert.deepEqual(await cart(), ["<script>alert(2)</script>"]);
  assert.equal(await page.locator("main img, main script").count(), 0);

  await button("Sign out").click();
  await says("You are signed out");
  expected = /status of 40[01]/;
  await page.getByLabel("Name", { exact: true }).fill("   ");
  await button("Sign in").click();
  await says("a name is 1 to 100 bytes");
});

test("everything can be done with the keyboard alone", async () => {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.innerText);
  const tabTo = async (name) => {
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press("Tab");
      if ((await focused()) === name) {
        const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.equal(outline, "solid", `${name} shows that it has the focus`);
        return;
      }
    }
    assert.fail(`${name} is not reached`);
  };
  await tabTo("name");
  await page.keyboard.type("ada");
  await page.keyboard.press("Enter");
  await says("Welcome, ada.");
  // The focus goes on to where the next thing is done.
  assert.equal(await focused(), "item");
  await page.keyboard.type("tea");
  await page.keyboard.press("Enter");
  await says("Added tea.");
  await tabTo("parallel");
  await page.keyboard.press("Enter");
  await page.locator("#parallel-result.good").waitFor();
  await tabTo("visit");
  await page.keyboard.press("Space");
  await says("Visits counted: 1.");
  await tabTo("logout");
  await page.keyboard.press("Enter");
  await says("You are signed out");
  assert.equal(await focused(), "name");
});

for (const scheme of ["light", "dark"]) {
  test(`on a phone nothing is cut off, and everything is readable (${scheme})`, async () => {
    await open(PHONE, scheme);
    await signIn("a".repeat(100));
    await add("i".repeat(100));
    await button("Add 20 in parallel").click();
    await page.locator("#parallel-result.good").waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, PHONE.width);
    assert.deepEqual(await page.evaluate(faint), []);
  });
}

test("every control has a name, and a size that a finger can hit", async () => {
  await open(PHONE);
  await signIn("ada");
  await assertControls(page, assert);
});
