// Who takes part: lists and files of hosts, node lists of Slurm, and the plan that becomes of them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { bindAddress, isLoopback } from '../src/base/place.ts';
import { addressOf, parseHostFile, parseHostList } from '../src/launcher/hosts.ts';
import { expandNodes } from '../src/launcher/node-list.ts';
import { planHosts, planLocal, planText, threadsOf } from '../src/launcher/plan.ts';

/** The first line of the error of `body`. */
function refused(body: () => unknown): string {
  try {
    body();
  } catch (thrown) {
    assert.ok(thrown instanceof SystemError, String(thrown));
    assert.is(thrown.code, 'ERR_CONFIG');
    const [first = '', next] = thrown.message.split('\n');
    assert.ok(next !== undefined && next !== '', 'it says what to do');
    return first;
  }
  return assert.unreachable('was accepted') as never;
}

const lists: readonly (readonly [string, object[]])[] = [
  ['a', [{ name: 'a' }]],
  [
    'a:2,b:4',
    [
      { name: 'a', slots: 2 },
      { name: 'b', slots: 4 },
    ],
  ],
  ['me@a:2, 10.0.0.1', [{ name: 'me@a', slots: 2 }, { name: '10.0.0.1' }]],
  ['[fe80::1]:2,[::1]', [{ name: 'fe80::1', slots: 2 }, { name: '::1' }]],
  ['a,a', [{ name: 'a' }, { name: 'a' }]],
];
for (const [text, hosts] of lists) {
  test(`hosts: -H ${text}`, () => assert.equal(parseHostList(text), hosts));
}

const badLists: readonly (readonly [string, string])[] = [
  ['', '-H must name hosts, got ""'],
  ['a,,b', '-H must name hosts, got ""'],
  ['-oProxyCommand=x', '-H must name hosts, got "-oProxyCommand=x"'],
  ['a b', '-H must name hosts, got "a b"'],
  ['me@-x', '-H must name hosts, got "me@-x"'],
  ['a:0', '-H a:0: slots must be an integer from 1 to 64, got "0"'],
  ['a:', '-H a:: slots must be an integer from 1 to 64, got ""'],
  ['a:2.5', '-H a:2.5: slots must be an integer from 1 to 64, got "2.5"'],
  ['a:65', '-H a:65: slots must be an integer from 1 to 64, got "65"'],
  [Array(257).fill('a').join(','), '-H must name 1 to 256 hosts, it names 257'],
];
for (const [text, words] of badLists) {
  test(`hosts: -H ${text.slice(0, 20)}: refused`, () =>
    assert.is(
      refused(() => parseHostList(text)),
      words,
    ));
}

const files: readonly (readonly [string, string, object[]])[] = [
  ['one a line', 'a\nb\n', [{ name: 'a' }, { name: 'b' }]],
  [
    'slots',
    'a slots=2\n  b\tslots=4',
    [
      { name: 'a', slots: 2 },
      { name: 'b', slots: 4 },
    ],
  ],
  ['comments and blank lines', '# all\n\na # first\n \n\nb\n\n\n', [{ name: 'a' }, { name: 'b' }]],
  [
    'CRLF, and a byte order mark',
    '\uFEFFa slots=2\r\n\r\nb\r\n',
    [{ name: 'a', slots: 2 }, { name: 'b' }],
  ],
  [
    'Bösen',
    '0 10.0.0.1 9999\n1 10.0.0.2 9998\n\n',
    [
      { name: '10.0.0.1', port: 9999 },
      { name: '10.0.0.2', port: 9998 },
    ],
  ],
  [
    'Bösen, not in order',
    '1 b 10\n0 a 20',
    [
      { name: 'a', port: 20 },
      { name: 'b', port: 10 },
    ],
  ],
  [
    'Bösen 0.93: id 0 is its name server',
    '0 a 9999\n1 a 10000\n1000 b 9999\n',
    [
      { name: 'a', port: 10000 },
      { name: 'b', port: 9999 },
    ],
  ],
  ['a host whose name is a number', '7\n', [{ name: '7' }]],
];
for (const [name, text, hosts] of files) {
  test(`hosts: file: ${name}`, () => assert.equal(parseHostFile(text, 'h'), hosts));
}

const badFiles: readonly (readonly [string, string])[] = [
  ['', 'h must name 1 to 256 hosts, it names 0'],
  ['# a\n\n', 'h must name 1 to 256 hosts, it names 0'],
  ['a\n  -oX=1\n', 'h:2:3: a line must begin with the name of a host, found "-oX=1"'],
  ['a slots=0', 'h:1:3: slots must be an integer from 1 to 64, found "slots=0"'],
  ['a\r\nb slot=2', 'h:2:3: after the name stands slots=N or nothing, found "slot=2"'],
  ['a slots=1 slots=2', 'h:1:11: slots must be given once, found "slots=2"'],
  ['0 a 9999\nb slots=2', 'h:2:1: every line must be `id address port`, found "b"'],
  ['b\n0 a 9999', 'h:2:1: the lines before this one have no id, found "0"'],
  ['0 a 9999\n0 b 9999', 'h:2:1: every id must occur once, found "0" again'],
  ['0 a 99999', 'h:1:5: a port is a number from 1 to 65535, found "99999"'],
  ['0 $(x) 99', 'h:1:3: an address must follow the id, found "$(x)"'],
];
for (const [text, words] of badFiles) {
  test(`hosts: file ${JSON.stringify(text)}: refused`, () =>
    assert.is(
      refused(() => parseHostFile(text, 'h')),
      words,
    ));
}

const nodes: readonly (readonly [string, string])[] = [
  ['n1', 'n1'],
  ['n[1-3,7]', 'n1 n2 n3 n7'],
  ['n[1-2],login,m[5]', 'n1 n2 login m5'],
  ['n[08-11]', 'n08 n09 n10 n11'],
  ['r[1-2]-c[01-02].x', 'r1-c01.x r1-c02.x r2-c01.x r2-c02.x'],
];
for (const [list, names] of nodes) {
  test(`node list: ${list}`, () => assert.is(expandNodes(list).join(' '), names));
}

const badNodes: readonly (readonly [string, string])[] = [
  ['', 'a name is empty'],
  ['n1,,n2', 'a name is empty'],
  ['n[1-3', 'a bracket is not closed'],
  ['n1-3]', 'a bracket closes that was not opened'],
  ['n[[1]]', 'a bracket opens inside a bracket'],
  ['n[]', '"" is neither a number nor a range'],
  ['n[a-b]', '"a-b" is neither a number nor a range'],
  ['n[3-1]', 'the range 3-1 is empty'],
  ['n[1-99999999999]', 'the range 1-99999999999 is too long'],
  ['n[1-200][1-200]', 'it is too long'],
];
for (const [list, words] of badNodes) {
  test(`node list: "${list}": refused`, () =>
    assert.is(
      refused(() => expandNodes(list)),
      `node list "${list}": ${words}`,
    ));
}

const free = { threads: undefined, port: undefined };

test('plan: --local: cores are divided, at least one thread each', () => {
  const { ranks, rankZeroHost, port } = planLocal(3, free);
  assert.equal([ranks.length, rankZeroHost, port], [3, '127.0.0.1', 0]);
  assert.ok(ranks.every(({ ssh }) => ssh === undefined));
  const [first] = ranks;
  assert.ok(first);
  assert.equal(
    [8, 3, 2, 1, 1000].map((cores) => threadsOf(first, cores)),
    [2, 1, 1, 1, 64],
  );
  const given = planLocal(2, { threads: 5, port: 4000 });
  assert.equal([given.port, threadsOf(given.ranks[0]!, 2)], [4000, 5]);
});

test('plan: slots before --threads before cores; this machine needs no ssh', () => {
  const hosts = [
    { name: 'me', slots: 2 },
    { name: 'root@far' },
    { name: 'far2' },
    { name: 'far2' },
  ];
  const plan = planHosts(hosts, 'me', free);
  assert.equal(
    plan.ranks.map(({ ssh }) => ssh),
    [undefined, 'root@far', 'far2', 'far2'],
  );
  assert.equal(
    plan.ranks.map(({ host }) => host),
    ['me', 'far', 'far2', 'far2'],
  );
  assert.equal(
    plan.ranks.map((rank) => threadsOf(rank, 8)),
    [2, 8, 4, 4],
  );
  assert.is(plan.rankZeroHost, 'me');
  const given = planHosts(hosts, 'me', { threads: 3, port: undefined });
  assert.equal(
    given.ranks.map((rank) => threadsOf(rank, 8)),
    [2, 3, 3, 3],
  );
});

test('plan: where rank 0 is met', () => {
  const where = (names: string[], port?: number) => {
    const hosts = names.map((name) => ({ name, port: 9999 }));
    const plan = planHosts(hosts, 'me', { threads: undefined, port });
    return `${plan.rankZeroHost}:${plan.port}`;
  };
  assert.is(where(['me', 'me']), '127.0.0.1:9999');
  assert.is(where(['me', 'far']), 'me:9999');
  assert.is(where(['u@far', 'me'], 5), 'far:5');
  assert.is(where(['localhost', '127.0.0.2']), '127.0.0.1:9999');
  assert.is(where(['127.0.0.2', '127.0.0.3']), '127.0.0.2:9999');
});

test('plan: localhost is nobody to another machine', () => {
  const hosts = [{ name: 'localhost' }, { name: 'far' }];
  const words = 'far cannot reach localhost, which is another machine everywhere';
  assert.is(
    refused(() => planHosts(hosts, 'me', free)),
    words,
  );
});

test('plan: in words', () => {
  const plan = planHosts([{ name: 'a', slots: 2 }, { name: 'b' }], 'me', free);
  const text = planText(plan, 'perpetuum train mlr x', ({ ssh }) => `ssh ${ssh} …`);
  assert.equal(text.split('\n'), [
    '2 hosts; rank 0 listens on a, port chosen when it starts',
    'job: perpetuum train mlr x',
    'rank 0  a  threads: 2',
    '  ssh a …',
    'rank 1  b  threads: one per core',
    '  ssh b …',
    '',
  ]);
});

test('place: loopback is bound where rank 0 is there, else every address', () => {
  assert.ok(['localhost', '127.0.0.1', '127.1.2.3', '::1'].every(isLoopback));
  assert.not(['10.0.0.1', 'host', '127.evil.org', '::', '0.0.0.0'].some(isLoopback));
  assert.is(bindAddress('127.0.0.1', 'localhost'), '127.0.0.1');
  assert.is(bindAddress('127.0.0.2', '127.0.0.3'), '127.0.0.3');
  assert.is(bindAddress('127.0.0.1', 'n1'), '127.0.0.1');
  assert.is(bindAddress('10.0.0.1', 'n1'), '0.0.0.0');
  assert.is(bindAddress('fe80::1', 'n1'), '::');
  assert.is(addressOf({ name: 'me@host' }), 'host');
});

test.run();
