// Every limit of the system, in one place, with the relations between them asserted below.
import { assert } from './assert.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Worker actors of one host. */
  workersMax: 64,
  /** Partitions of a data-parallel run. */
  partitionsMax: 1000,
  /** Threads of the loader pool; parsing is memory-bound beyond this. */
  loadersMax: 16,
  /** Phases of a scheduled program that are in flight before the one that is pulled next. */
  pipelineMax: 64,
  /** Events of a schedule come at most this often. */
  scheduleEventMs: 100,
  /** What an event of a schedule tells at most: variables picked, and turned down. */
  schedulePickedShown: 64,
  scheduleRejectedShown: 16,
  /** Tables of one run. */
  tablesMax: 32,
  /** Prefetches of one worker that are under way; it fits a word of bits. */
  prefetchesMax: 16,
  /** Bytes that describe a table which is created while a run lasts. */
  createdTableBytes: 2048,
  /** Bytes of one wasm32 memory: the most a host process can address. */
  memoryBytes: 4096 * MiB,
  /** Text of one parse task. Also the grain of the data blocks, so it fixes their number. */
  chunkBytes: 1 * MiB,
  /** Longest line of a text file. */
  lineBytesMax: 8 * MiB,
  /** Private scratch of one thread: text, parsed output, temporaries of kernels. Pages are lazy. */
  scratchBytes: 40 * MiB,
  /** One direction of a shared-memory mailbox; half of it is slots. */
  ringBytes: 256 * KiB,
  /** Largest single message in a mailbox. */
  messageBytesMax: 32 * KiB,
  /** Sections of the table lock that a recorded run of a host may have; pages are lazy. */
  recordBytes: 64 * MiB,
  /** A payload of table rows is cut at about this size; a row of a sparse table is not cut. */
  wireBytes: 1 * MiB,
  /** Largest payload of table rows: one row of a sparse table with all its entries. */
  wireBytesMax: 4 * MiB,
  /** Columns of a table with a reducer: a row travels in one piece. */
  reducedColumnsMax: 65_536,
  /** Classes of a classification problem. */
  classesMax: 4096,
  /** Longest label text. */
  labelBytesMax: 256,
  /** How often a word may stand in a document: every f32 up to it is an exact integer. */
  countMax: 16_777_216,
  /** Entries `document word count` of one document, where documents are read into a file. */
  documentEntriesMax: 2_097_152,
  /** Different words of texts, before rare ones are left out. */
  wordsMax: 2_097_152,
  /** Columns of a data set: indices are i32 and tables address rows × columns in 4 GiB. */
  columnsMax: 100_000_000,
  /** A push that neither returns nor polls for so long is taken for an endless loop. */
  pushTimeoutMs: 30_000,
  /** From a stop request until threads that do not answer are terminated. */
  stopGraceMs: 100,
  /** From a stop request until the host process exits with its job unfinished. */
  hostExitMs: 150,
  /** From a stop request until the guardian kills the host process. */
  killGraceMs: 1_500,
  /** Beat of a host process, and of the guardian or launcher that listens for it. */
  aliveMs: 1_000,
  /** A host process that says nothing for so long is taken for frozen, and killed. */
  hostSilenceMs: 30_000,
  /** Hosts of one run. */
  hostsMax: 256,
  /** From the first host that lost another one, until that is taken for the cause of the end. */
  causeGraceMs: 1_000,
  /** A host waits so long for all others to join. */
  joinTimeoutMs: 60_000,
  /** A name of rank 0 that nobody knows for so long is taken for a mistake. */
  nameTimeoutMs: 15_000,
  /** Longest single futex wait: bounds how late a stop request is seen. */
  gateWaitMs: 20,
  /** Header of one frame between hosts, MessagePack. */
  frameHeaderBytesMax: 32 * KiB,
  /** Payload of one frame between hosts: larger things travel in pieces. */
  framePayloadBytesMax: 32 * MiB,
  /** What a host takes in from one peer before its listener has consumed it. */
  windowBytes: 64 * MiB,
  /** A send queue longer than this has no room for bulk senders; at half of it, it has again. */
  sendSoftBytes: 16 * MiB,
  /** A send queue never grows longer than this: offering more is a bug of the sender's. */
  sendHardBytes: 256 * MiB,
  /** An idle session says so often that it lives. */
  heartbeatMs: 1_000,
  /** A connection that was silent for so long is replaced: it may be half open. */
  silenceMs: 5_000,
  /** A peer that gave no sign of life for so long is lost. */
  peerTimeoutMs: 12_000,
  /** First and longest pause before a broken connection is tried again; it doubles in between. */
  reconnectMinMs: 20,
  reconnectMaxMs: 1_000,
  /** A packet without an acknowledgement for so long is sent again, on links that lose frames. */
  resendMs: 200,
  /** How often sessions are asked what is due. */
  sessionTickMs: 20,
  /** From accepting a connection until its other end has proved who it is. */
  handshakeMs: 5_000,
  /** Connections that have not proved yet who they are; one more replaces the oldest. */
  handshakesMax: 64,
  /** A host that takes leave of the others is ended after so long. */
  leaveMs: 6_000,
  /** After a failure it tries for so long: who does not hear it will miss it soon. */
  leaveFailedMs: 500,
  /** From closing a mesh until what is still unacknowledged is given up. */
  closeMs: 5_000,
} as const;

// A parse task holds its chunk and the rest of its last line, and its output is at most 4 times
// the text (an entry " 1:1" of 4 bytes becomes 8 bytes, an empty line of 2 bytes 16).
assert(
  limits.scratchBytes >= 4 * (limits.chunkBytes + limits.lineBytesMax),
  'scratch holds one parse task',
);
// A block of entries: a chunk's, and what follows of its last document, 12 bytes each.
assert(
  limits.scratchBytes >= 12 * (limits.documentEntriesMax + limits.chunkBytes / 4) + 4 * MiB,
  'scratch holds a block of entries',
);
// A payload lies in scratch beside its decoded values, row lists, and rows being merged.
assert(limits.scratchBytes >= 10 * limits.wireBytesMax, 'scratch holds a payload being applied');
// A reducer takes in whole rows, however they travel.
assert(limits.reducedColumnsMax * 8 < limits.wireBytes, 'a payload holds a reduced row');
// A ring drops nothing: it has room for several of the largest messages.
assert(limits.ringBytes / 2 >= 4 * limits.messageBytesMax, 'a ring holds several messages');
// A waiting thread must see a stop request well inside the grace it is given.
assert(limits.gateWaitMs * 4 <= limits.stopGraceMs, 'a waiter wakes inside the grace');
// Threads are terminated, the host exits, the guardian kills: each only when the one before failed.
assert(limits.stopGraceMs < limits.hostExitMs, 'the host waits for its threads');
assert(limits.hostExitMs < limits.killGraceMs, 'the guardian waits for its host');
// A frame fits into what its receiver grants and what its sender may hold, or it never leaves.
const frameBytesMax = limits.framePayloadBytesMax + limits.frameHeaderBytesMax + KiB;
assert(limits.windowBytes >= frameBytesMax, 'the window takes the largest frame');
assert(limits.sendHardBytes >= limits.sendSoftBytes + frameBytesMax, 'who asked for room may send');
// Several heartbeats before a connection is doubted, several connections before a peer is.
assert(limits.heartbeatMs * 3 <= limits.silenceMs, 'one late heartbeat breaks no connection');
assert(limits.silenceMs * 2 < limits.peerTimeoutMs, 'a half-open connection costs no peer');
assert(limits.reconnectMaxMs + limits.handshakeMs < limits.peerTimeoutMs, 'there is a second try');
assert(limits.aliveMs * 4 <= limits.hostSilenceMs, 'one lost beat is not silence');
