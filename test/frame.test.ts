// Frames: what is written is read, wherever the stream is cut, and nothing else is ever read.
import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/base/limits.ts';
import { createPrng, type Prng } from '../src/base/prng.ts';
import type { Frame, FrameKind } from '../src/mailbox/frame.ts';
import { decodeHeader, encodeHeader, frameBytes, headBytes } from '../src/mailbox/frame.ts';
import { FrameParser, tailBytes, writeFrame, writeHead } from '../src/mailbox/frame.ts';

const kinds: readonly FrameKind[] = ['hello', 'resume', 'packet', 'ack', 'gap', 'goodbye'];

function frameOf(prng: Prng, payloadBytes = prng.below(40)): Frame {
  const wide = () => prng.below(2 ** 21) * 2 ** 32 + prng.uint32();
  const header = prng.below(3) === 0 ? undefined : { epoch: prng.uint32(), rows: [1, 'two', null] };
  return {
    kind: kinds[prng.below(kinds.length)]!,
    ...{ from: wide(), to: wide(), seq: wide(), ack: wide(), credit: wide() },
    header: header === undefined ? new Uint8Array(0) : encodeHeader(header),
    payload: Uint8Array.from({ length: payloadBytes }, () => prng.below(256)),
  };
}

function bytesOf(frames: readonly Frame[], checksum = true): Buffer {
  const sizes = frames.map(({ header, payload }) => frameBytes(header.length, payload.length));
  const bytes = Buffer.alloc(
    sizes.reduce((a, b) => a + b, 0),
    0xee,
  );
  let at = 0;
  for (const frame of frames) at = writeFrame(bytes, at, frame, checksum);
  assert.is(at, bytes.length);
  return bytes;
}

const copy = (frame: Frame): Frame => {
  const [header, payload] = [new Uint8Array(frame.header), new Uint8Array(frame.payload)];
  return { ...frame, header, payload };
};

function parserFor(payloadBytesMax: number, checksum = true) {
  const frames: Frame[] = [];
  const parser = new FrameParser({ checksum, onFrame: (frame) => frames.push(copy(frame)) });
  parser.allow(payloadBytesMax);
  return { parser, frames };
}

const plain = (frame: Frame) => ({
  ...{ ...frame, header: Buffer.from(frame.header).toString('hex') },
  payload: Buffer.from(frame.payload).toString('hex'),
});

test('frame: what is written is read, cut at every byte', () => {
  const prng = createPrng(1);
  for (const checksum of [true, false]) {
    const frames = [0, 1, 7, 8, 9].map((bytes) => frameOf(prng, bytes));
    const bytes = bytesOf(frames, checksum);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { parser, frames: found } = parserFor(100, checksum);
      assert.is(parser.feed(bytes.subarray(0, cut)), undefined);
      assert.is(parser.feed(bytes.subarray(cut)), undefined);
      assert.equal(found.map(plain), frames.map(plain), `cut at ${cut}`);
    }
    const { parser, frames: found } = parserFor(100, checksum);
    for (const byte of bytes) assert.is(parser.feed(Uint8Array.of(byte)), undefined);
    assert.equal(found.map(plain), frames.map(plain), 'a byte at a time');
  }
});

test('frame: long payloads in random pieces; head and payload written apart', () => {
  const prng = createPrng(2);
  for (const bytes of [65_535, 65_536, 300_001]) {
    const frame = frameOf(prng, bytes);
    const head = Buffer.alloc(headBytes(frame));
    assert.is(writeHead(head, 0, frame, true), head.length);
    const stream = Buffer.concat([head, frame.payload, tailBytes(frame, crc32(frame.payload))]);
    assert.is(Buffer.compare(stream, bytesOf([frame])), 0);
    const { parser, frames } = parserFor(300_001);
    for (let at = 0; at < stream.length;) {
      const piece = 1 + prng.below(70_000);
      assert.is(parser.feed(stream.subarray(at, at + piece)), undefined);
      at += piece;
    }
    assert.is(frames.length, 1);
    assert.is(Buffer.compare(frames[0]!.payload, frame.payload), 0);
  }
});

test('frame: payloads start at a multiple of 8, and are the parser’s own memory', () => {
  const prng = createPrng(3);
  const bytes = Buffer.concat([Buffer.alloc(3), bytesOf([frameOf(prng, 24)])]).subarray(3);
  const offsets: number[] = [];
  const onFrame = ({ payload }: Frame) => {
    offsets.push(payload.byteOffset % 8);
    assert.is.not(payload.buffer, bytes.buffer);
  };
  const parser = new FrameParser({ checksum: true, onFrame });
  parser.allow(100);
  assert.is(parser.feed(bytes), undefined);
  assert.equal(offsets, [0]);
});

type Change = (bytes: Buffer) => Buffer;
const at =
  (offset: number, value: number): Change =>
  (bytes) => {
    const changed = Buffer.from(bytes);
    changed[offset] = value;
    return changed;
  };

const refusals: readonly (readonly [string, Change, RegExp])[] = [
  ['another magic', at(3, 0x32), /no frame of this version starts with 0x32545050/],
  ['TLS', () => Buffer.from([0x16, 3, 1, 0]), /the other end speaks TLS/],
  ['kind 0', at(4, 0), /no frame has the kind 0/],
  ['kind 10', at(4, 10), /no frame has the kind 10/],
  ['a long header', at(7, 0xff), /a header has at most 32768 bytes/],
  ['another length', at(8, 0), /checksum of the head/],
  ['another sequence number', at(32, 99), /checksum of the head/],
  ['another payload', at(80, 99), /checksum of the payload/],
  ['padding', at(94, 1), /the padding is not zero/],
];

for (const [name, change, reason] of refusals) {
  test(`frame: refused, for good: ${name}`, () => {
    const frame = { ...frameOf(createPrng(4), 21), header: encodeHeader('8 bytes') };
    const bytes = bytesOf([frame, frame]);
    const { parser, frames } = parserFor(100);
    const found = parser.feed(change(bytes));
    assert.match(found ?? 'accepted', reason);
    assert.is(parser.feed(bytes), found, 'it stays refused');
    assert.is(frames.length, 0);
  });
}

test('frame: a payload over the limit, or without a checksum, is refused before room is made', () => {
  const frame = frameOf(createPrng(5), 101);
  assert.match(
    parserFor(100).parser.feed(bytesOf([frame])) ?? '',
    /at most 100 bytes here, got 101/,
  );
  const bare = parserFor(200).parser.feed(bytesOf([frame], false));
  assert.match(bare ?? '', /the payload has no checksum/);
  const { parser } = parserFor(0);
  assert.match(parser.feed(bytesOf([frame])) ?? '', /at most 0 bytes here/);
});

test('frame: headers over the limit are not encoded; broken ones say why', () => {
  const long = 'x'.repeat(limits.frameHeaderBytesMax);
  assert.throws(() => encodeHeader(long), /a header is at most 32768 bytes, got/);
  assert.equal(decodeHeader(encodeHeader({ a: [1, 2] })), { value: { a: [1, 2] } });
  assert.ok('problem' in decodeHeader(Uint8Array.of(0xc1)));
  assert.ok('problem' in decodeHeader(new Uint8Array(0)));
});

test('frame: 100 000 random and mutated streams are refused, or decoded as they were', () => {
  const prng = createPrng(6);
  const originals = Array.from({ length: 50 }, () => frameOf(prng));
  const written = originals.map((frame) => bytesOf([frame]));
  const texts = originals.map((frame) => JSON.stringify(plain(frame)));
  let [refused, waiting, decoded] = [0, 0, 0];
  for (let i = 0; i < 100_000; i++) {
    const which = prng.below(originals.length);
    const bytes = Buffer.from(written[which]!);
    const flips = prng.below(4);
    if (flips === 3)
      for (let at = prng.below(64); at < bytes.length; at++) bytes[at] = prng.below(256);
    for (let f = 0; f < flips; f++) bytes[prng.below(bytes.length)]! ^= 1 << prng.below(8);
    const cut = prng.below(5) === 0 ? prng.below(bytes.length) : bytes.length;
    const found: string[] = [];
    const onFrame = (frame: Frame) => found.push(JSON.stringify(plain(frame)));
    const parser = shared(onFrame);
    const problem = parser.feed(bytes.subarray(0, cut));
    if (problem !== undefined) refused += 1;
    else if (found.length === 0) waiting += 1;
    else decoded += 1;
    for (const text of found) assert.is(text, texts[which], `stream ${i}`);
  }
  const counts = `${refused} refused, ${waiting} waiting, ${decoded} decoded`;
  assert.ok(refused > 40_000 && decoded > 15_000, counts);
});

function shared(onFrame: (frame: Frame) => void): FrameParser {
  const parser = new FrameParser({ checksum: true, onFrame });
  parser.allow(1000);
  return parser;
}

test.run();
