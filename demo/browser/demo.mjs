// The demo's program, started on a free port with its files in a directory of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const START_MS = 20_000;

export class Demo {
  #directory = mkdtempSync(path.join(tmpdir(), "cloakroom-demo-"));
  #process = null;
  #port = 0;

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the program; a second time at the same address, with the files that the first time left. */
  async start() {
    const child = spawn(program(), ["--listen", `127.0.0.1:${this.#port}`], {
      cwd: this.#directory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    const address = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the demo did not print its address")), START_MS);
      let printed = "";
      child.stdout.on("data", (chunk) => {
        printed += chunk;
        const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed);
        if (found) {
          clearTimeout(timer);
          resolve(found[1]);
        }
      });
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the demo ended with ${code}: ${printed}`)));
    });
    this.#port = Number(address);
  }

  /** Stops the program as a service manager does. Answers its exit code. */
  async stop() {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) {
      return child?.exitCode ?? 0;
    }
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    child.kill("SIGTERM");
    return ended;
  }

  async remove() {
    await this.stop();
    rmSync(this.#directory, { recursive: true });
  }
}

/** `CLOAKROOM_DEMO` names it; otherwise the one that was built last. */
function program() {
  if (process.env.CLOAKROOM_DEMO) {
    return process.env.CLOAKROOM_DEMO;
  }
  const target = fileURLToPath(new URL("../../target/", import.meta.url));
  const built = ["debug", "release"]
    .map((profile) => path.join(target, profile, "cloakroom-demo"))
    .map((file) => ({ file, at: statSync(file, { throwIfNoEntry: false })?.mtimeMs }))
    .filter(({ at }) => at !== undefined)
    .sort((one, other) => other.at - one.at);
  if (built.length === 0) {
    throw new Error("build the demo first: cargo build --package cloakroom-demo");
  }
  return built[0].file;
}
