// Documents in a file: what memory they need, and what becomes of the file when reading fails.
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCorpus } from '../src/data/load-corpus.ts';
import type { LoaderPool } from '../src/data/loader-pool.ts';
import type { LoaderTask } from '../src/data/tasks.ts';
import { readBoth, type Reading } from '../src/jobs/input.ts';
import type { JobHost } from '../src/supervisor/host.ts';
import { corpusOf, spilledCorpusOf } from './helpers/corpus.ts';
import { failureOf, put, startHost, withChunks, type TestHost } from './helpers/loading.ts';
import { fakeWorlds, onAll } from './helpers/worlds.ts';

const MiB = 2 ** 20;
const host = startHost(2);
test.after(() => host.close());

/** The host with tasks looked at before they run. */
function tapped(at: TestHost, tap: (task: LoaderTask) => LoaderTask): TestHost {
  const { pool } = at;
  const run: LoaderPool['run'] = (task) => pool.run(tap(task) as typeof task);
  return { ...at, pool: { ...pool, run } };
}

const spillIn = (directory: string) => ({ spill: { directory } });
const freshFolder = () => mkdtempSync(join(host.folder, 'spill-'));

/** Documents of 50 different words out of 500, as lines and as entries. */
function forms(documents: number) {
  const pairs = Array.from({ length: 50 }, (_, i) => `${i * 10}:${1 + (i % 3)}`).join(' ');
  const text = Array.from({ length: 50 }, (_, i) => `w${i}`).join(' ');
  const entries = Array.from({ length: documents }, (_, d) =>
    Array.from({ length: 50 }, (_, i) => `${d + 1} ${1 + i * 10} 2\n`).join(''),
  ).join('');
  return {
    libsvm: `${pairs}\n`.repeat(documents),
    text: `${text}\n`.repeat(documents),
    bow: `${documents}\n500\n${documents * 50}\n${entries}`,
  } as const;
}

test('spill: corpora several times larger than the arena', async () => {
  const fixed = 1 * MiB + 3 * 256 * 1024 + 40 * MiB;
  const small = startHost(1, Math.ceil((fixed + 8 * MiB) / 65536) * 65536);
  try {
    const { arena } = small;
    const documents = 80_000; // 32 MB of entries
    for (const [format, text] of Object.entries(forms(documents))) {
      const path = put(small, text);
      const options = { format: format as keyof ReturnType<typeof forms>, minDocuments: 1 };
      const known = format === 'text' ? { vocabulary: put(small, 'w1\nw2\nw3\n') } : {};
      const mark = arena.mark();
      if (format !== 'text') {
        const { code } = await failureOf(small, () => corpusOf(small, [path], options));
        assert.is(code, 'ERR_LIMIT', 'it is too large for memory');
        arena.release(mark);
      }
      const directory = mkdtempSync(join(small.folder, 'spill-'));
      const all = { ...options, ...known, ...spillIn(directory) };
      const corpus = await loadCorpus([path], all, small);
      assert.is(corpus.documents, documents);
      assert.is(corpus.nonzeros, documents * (format === 'text' ? 3 : 50));
      const free = format === 'text' ? 2 * MiB : 0; // the table of words
      assert.ok(arena.mark() - mark <= free, `${format}: ${arena.mark() - mark} bytes`);
      arena.release(mark);
    }
  } finally {
    await small.close();
  }
});

test('spill: more tokens than an i32 counts; not in one block', async () => {
  const text = '0:16777216 1:16777216\n'.repeat(70);
  const path = put(host, text);
  const { code, message } = await failureOf(host, () => corpusOf(host, [path]));
  assert.is(code, 'ERR_LIMIT', message);
  const got = await spilledCorpusOf(withChunks(host, 400), [path]);
  assert.is(got.tokens, 140 * 16777216);
  const one = await failureOf(host, () => spilledCorpusOf(host, [path]));
  assert.is(one.code, 'ERR_LIMIT');
  assert.match(one.message, /a MiB of text has at most 2147483647 tokens; found 2348810240$/);
});

test('spill: the file is private, in a folder of its own', async () => {
  const directory = join(freshFolder(), 'not', 'there', 'yet');
  const path = put(host, '0:1\n');
  const loads = [1, 2].map(() => loadCorpus([path], spillIn(directory), host));
  const paths = (await Promise.all(loads)).map(({ spill }) => spill?.path ?? '');
  assert.is.not(paths[0], paths[1]);
  for (const file of paths) {
    assert.ok(file.startsWith(directory) && file.endsWith('documents-0'));
    assert.equal(
      [file, dirname(file)].map((at) => statSync(at).mode & 0o777),
      [0o600, 0o700],
    );
  }
  const { code, message } = await failureOf(host, () => loadCorpus([path], spillIn(path), host));
  assert.is(code, 'ERR_CONFIG');
  assert.match(message, /documents are read into a file in this folder; it cannot be made \(E/);
});

test('spill: nothing is left of a load that is refused or aborted, at whatever task', async () => {
  const directory = freshFolder();
  const good = put(host, '0:1 2:1\n0:3\n'.repeat(50));
  const gone = () => assert.equal(readdirSync(directory), []);
  const bad = put(host, '0:1\n'.repeat(50) + '0:x\n');
  const at = withChunks(host, 7);
  const refused = await failureOf(host, () => loadCorpus([bad], spillIn(directory), at));
  assert.is(refused.code, 'ERR_DATA');
  gone();
  for (const kind of ['probe', 'parse', 'spilled'] as const) {
    const stop = new AbortController();
    let seen = 0;
    const tap = tapped(at, (task) => {
      if (task.kind === kind && seen++ === 0) stop.abort();
      return task;
    });
    const options = { ...spillIn(directory), signal: stop.signal };
    const { code } = await failureOf(host, () => loadCorpus([good], options, tap));
    assert.equal([kind, code, seen > 0], [kind, 'ERR_ABORTED', true]);
    gone();
  }
});

test('spill: a job reads what it trains on into a file, not what it is tested on', async () => {
  const path = put(host, '0:1 2:1\n0:3\n');
  const said: string[] = [];
  const reading: Reading = {
    ...{ host: host as unknown as JobHost, pool: host.pool, spill: { directory: freshFolder() } },
    hooks: {
      signal: new AbortController().signal,
      onEvent: (event) => void (event.kind === 'facts' && said.push(event.text)),
    },
    input: { format: undefined, label: 'last', delimiter: undefined, header: undefined },
  };
  const { data, test } = await readBoth('corpus', { reading, data: [path], test: [path] });
  assert.ok(data.kind === 'corpus' && test?.kind === 'corpus');
  assert.equal([data.spill?.blocks.length, data.blocks.length], [1, 0]);
  assert.equal([test.spill, test.blocks.length], [undefined, 1]);
  const facts = `${path}: 2 documents, 3 words, 5 tokens`;
  assert.equal(said, [`${facts}, read into a file`, facts]);
});

const full = '/dev/full'; // a file of a disk without room

test('spill: a full disk is told with the path and a remedy, on all hosts', async () => {
  if (!existsSync(full)) return;
  const directory = freshFolder();
  const path = put(host, '0:1 2:1\n0:3\n'.repeat(50));
  const noRoom = tapped(withChunks(host, 7), (task) =>
    task.kind === 'parse' && task.spill !== undefined
      ? { ...task, spill: { ...task.spill, path: full } }
      : task,
  );
  const { code, message } = await failureOf(host, () =>
    loadCorpus([path], spillIn(directory), noRoom),
  );
  assert.is(code, 'ERR_LIMIT');
  assert.match(message, /^\/dev\/full: documents cannot be written \(ENOSPC.*\); make room there/);
  assert.equal(readdirSync(directory), []);
  const all = await onAll(fakeWorlds(2), (world) => {
    const at = world.rank === 1 ? noRoom : withChunks(host, 7);
    return failureOf(host, () => loadCorpus([path], spillIn(directory), { ...at, world }));
  });
  for (const one of all) {
    assert.ok(one.status === 'fulfilled' && one.value.code === 'ERR_LIMIT', JSON.stringify(one));
  }
  assert.equal(readdirSync(directory), []);
});

test.run();
