// Follows the session on the server's event stream, so that a page shows at once when it was ended elsewhere.

import { element } from "/page.js";

/** How long to wait where the server cannot tell. */
const AGAIN_MS = 2_000;

/** In another tab of this browser the session may just have got a fresh id: its cookie is there in a moment. */
const MOMENT_MS = 250;

export class Live {
  #ask;
  #wanted = false;
  #source = null;
  #timer = null;

  /** `ask` asks the server, and answers whether there still is a session; `null` if nobody can tell now. */
  constructor(ask) {
    this.#ask = ask;
    // A browser has few connections to a server, and tabs that nobody sees need none.
    document.addEventListener("visibilitychange", () => {
      if (!this.#wanted) {
        return;
      }
      if (document.hidden) {
        this.#stop();
      } else {
        this.#askIn(0);
      }
    });
  }

  /** Follows the session of this browser. */
  open() {
    this.#wanted = true;
    if (this.#source === null && this.#timer === null && !document.hidden) {
      this.#connect();
    }
  }

  /** There is nothing to follow any more. */
  close() {
    this.#wanted = false;
    this.#stop();
  }

  #connect() {
    const source = new EventSource("/api/live");
    this.#source = source;
    source.addEventListener("live", () => this.#show("Live: if the session is ended elsewhere, you see it here at once."));
    source.addEventListener("ended", () => this.#askIn(MOMENT_MS));
    source.addEventListener("error", () => {
      this.#show("Not connected to the server. Trying again …");
      // After a response that says no, a browser does not come back by itself.
      if (source.readyState === EventSource.CLOSED) {
        this.#askIn(MOMENT_MS);
      }
    });
  }

  #stop() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#show("");
  }

  #askIn(pause) {
    this.#stop();
    this.#timer = setTimeout(async () => {
      const there = await this.#ask().catch(() => null);
      this.#timer = null;
      if (!this.#wanted || this.#source !== null || document.hidden) {
        return;
      }
      if (there) {
        this.#connect();
      } else if (there === null) {
        this.#askIn(AGAIN_MS);
      }
    }, pause);
  }

  #show(state) {
    element("live").textContent = state;
  }
}
