// A real Chromium without a screen, spoken to over two pipes (--remote-debugging-pipe): messages
// are JSON and end with a NUL byte. No port, no package.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine, if there is one. */
export function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

type Reply = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly entry?: { text: string }; readonly request?: { url: string } };
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
};

export type Size = {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  readonly print?: boolean;
};

export type Tab = {
  /** Opens a file and waits until it is loaded. */
  open(url: string, size: Size): Promise<void>;
  /** Value of an expression in the page. */
  ask<T>(expression: string): Promise<T>;
  /** Presses and releases a key that the browser knows by this name, or types a character. */
  press(key: string): Promise<void>;
  /** The whole page, base64. */
  screenshot(): Promise<string>;
  /** What the page complained about, and everything that it asked for. */
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
};

/** Frames between NUL bytes. */
function onFrames(stream: Readable, take: (text: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const parts = (rest + text).split('\0');
    rest = parts.pop() ?? '';
    parts.forEach(take);
  });
}

/** Starts the browser with one tab, hands it to `body`, and ends it whatever happens. */
export async function withBrowser<T>(path: string, body: (tab: Tab) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), 'perpetuum-browser-'));
  const switches = [
    '--headless=new',
    '--no-sandbox',
    '--hide-scrollbars',
    '--remote-debugging-pipe',
  ];
  const quiet = ['--no-first-run', '--disable-extensions', '--disable-background-networking'];
  const child = spawn(path, [...switches, ...quiet, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  try {
    return await body(await openTab(input, output));
  } finally {
    // Asked, it ends its own processes too, and nothing writes to the profile any more.
    input.write(`${JSON.stringify({ id: 0, method: 'Browser.close' })}\0`);
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

async function openTab(input: Writable, output: Readable): Promise<Tab> {
  const waiting = new Map<number, (reply: Reply) => void>();
  const complaints: string[] = [];
  const requests: string[] = [];
  let loaded = (): void => undefined;
  let last = 0;
  onFrames(output, (text) => {
    const reply = JSON.parse(text) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    else if (reply.method === 'Page.loadEventFired') loaded();
    else if (reply.method === 'Log.entryAdded') complaints.push(reply.params?.entry?.text ?? '');
    else if (reply.method === 'Runtime.exceptionThrown')
      complaints.push(JSON.stringify(reply.params));
    else if (reply.method === 'Network.requestWillBeSent') {
      requests.push(reply.params?.request?.url ?? '');
    }
  });
  const session: { id?: unknown } = {};
  const call = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = (last += 1);
    const reply = await new Promise<Reply>((resolve) => {
      waiting.set(id, resolve);
      input.write(`${JSON.stringify({ id, method, params, sessionId: session.id })}\0`);
    });
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result ?? {};
  };
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const attached = await call('Target.attachToTarget', { targetId, flatten: true });
  session.id = attached['sessionId'];
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await call(`${domain}.enable`);
  return {
    ...{ complaints, requests },
    async open(url, { width, height, dark = false, print = false }) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
      await call('Emulation.setDeviceMetricsOverride', metrics);
      const value = dark ? 'dark' : 'light';
      const features = [{ name: 'prefers-color-scheme', value }];
      await call('Emulation.setEmulatedMedia', { features, media: print ? 'print' : '' });
      const load = new Promise<void>((resolve) => (loaded = resolve));
      await call('Page.navigate', { url });
      await load;
    },
    async ask<V>(expression: string) {
      const asked = { expression, returnByValue: true, awaitPromise: true };
      const { result, exceptionDetails } = await call('Runtime.evaluate', asked);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: V }).value;
    },
    async press(key) {
      const text = key.length === 1 ? { text: key } : key === 'Enter' ? { text: '\r' } : {};
      const codes: Readonly<Record<string, number>> = {
        ...{ Tab: 9, Enter: 13, Escape: 27, End: 35, Home: 36 },
        ...{ ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40 },
      };
      const event = { key, ...text, windowsVirtualKeyCode: codes[key] ?? 0 };
      await call('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
      await call('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
    },
    async screenshot() {
      const shot = await call('Page.captureScreenshot', { captureBeyondViewport: true });
      return shot['data'] as string;
    },
  };
}
