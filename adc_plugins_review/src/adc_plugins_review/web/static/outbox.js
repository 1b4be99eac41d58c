// Answers on their way: kept in the browser until the server has them on its disk.

const PAUSES = [1, 2, 4, 8, 16, 30];

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The link itself is not stored: whoever shares the browser could use it.
function nameOf(base) {
  let hash = 5381;
  for (const letter of base) hash = (hash * 33 + letter.codePointAt(0)) % 9007199254740881;
  return `adc-review-${hash.toString(36)}`;
}

export async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json", "X-ADC-Review": "1" },
    body: JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  return { status: answer.status, content };
}

export class Outbox {
  // `tell(waiting, problem)` hears how many answers wait and what the server refused.
  constructor(base, tell) {
    this.base = base;
    this.name = nameOf(base);
    this.tell = tell;
    this.failures = 0;
    this.late = false;
    this.busy = false;
    this.waiters = [];
    this.queue = [];
    try {
      this.queue = JSON.parse(localStorage.getItem(this.name)) || [];
    } catch {
      // No storage, as within a frame of another site: the queue lives as long as the page.
    }
    addEventListener("online", () => this.pump());
    this.pump();
  }

  // `path` is below the link, which is not stored with it.
  add(path, body) {
    this.queue.push({ path, body });
    this.save();
    this.pump();
  }

  save() {
    try {
      if (this.queue.length) localStorage.setItem(this.name, JSON.stringify(this.queue));
      else localStorage.removeItem(this.name);
    } catch {
      // As above.
    }
  }

  // Resolves when the server has everything.
  drained() {
    if (!this.queue.length) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  async pump() {
    if (this.busy) return;
    clearTimeout(this.timer);
    this.busy = true;
    while (this.queue.length) {
      const { path, body } = this.queue[0];
      let status = 0;
      let content = {};
      try {
        ({ status, content } = await send(this.base + path, body));
      } catch {
        status = 0;
      }
      if (status === 0 || status === 429 || status >= 500) {
        const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)];
        this.failures += 1;
        this.late = true;
        this.tell(this.queue.length, "");
        this.timer = setTimeout(() => this.pump(), pause * 1000);
        this.busy = false;
        return;
      }
      this.failures = 0;
      this.queue.shift();
      this.save();
      this.late = this.late && this.queue.length > 0;
      this.tell(this.late ? this.queue.length : 0, status === 200 ? "" : content.error || "an answer was refused");
    }
    this.busy = false;
    this.waiters.splice(0).forEach((resolve) => resolve());
  }
}

// Time for which the page is seen and somebody is there: pauses of over a minute do not count.
export class Clock {
  constructor() {
    this.total = 0;
    this.since = performance.now();
    this.last = this.since;
    for (const event of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) {
      addEventListener(event, () => this.mark(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => this.mark(document.hidden));
  }

  mark(leaving = false) {
    const now = performance.now();
    if (this.since !== null) this.total += Math.min(now - this.since, 60000);
    this.since = document.hidden && !leaving ? null : leaving ? null : now;
  }

  take() {
    this.mark();
    const ms = Math.round(this.total);
    this.total = 0;
    return ms;
  }
}
