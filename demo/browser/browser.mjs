// What the tests share: the browser, and looking at what it shows.

import { chromium } from "playwright-core";

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CLOAKROOM_CHROMIUM ?? process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** What a page complains about, apart from answers of the interface that a test expects. */
export function troublesOf(page, url, expected) {
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(`${error}`));
  page.on("console", (message) => {
    const asked = message.location().url.startsWith(`${url}/api/`);
    if (!(asked && expected().test(message.text())) && ["error", "warning"].includes(message.type())) {
      troubles.push(message.text());
    }
  });
  return troubles;
}

/** That all visible controls of a page have a name, and a size that a finger can hit. */
export async function assertControls(page, assert) {
  for (const control of await page.locator("button:visible, input:visible").all()) {
    const { height } = await control.boundingBox();
    assert.ok(height >= 44, `${height} px high`);
    const named = await control.evaluate((node) => node.innerText || node.labels?.[0]?.innerText);
    assert.ok(named, "has a name");
  }
}

/** Runs in the page: texts whose contrast is below WCAG 2.2's 4.5 to 1 (success criterion 1.4.3). */
export function faint() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    const clear = channels(color)[3] === 0;
    return clear && node.parentElement ? ground(node.parentElement) : color;
  };
  const texts = [...document.querySelectorAll("body *")].filter((node) => {
    const own = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    return own && node.checkVisibility() && !node.closest("script, noscript");
  });
  return texts
    .map((node) => {
      const both = [luminance(getComputedStyle(node).color), luminance(ground(node))];
      const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
      return { text: node.textContent.slice(0, 40), contrast };
    })
    .filter(({ contrast }) => contrast < 4.5);
}
