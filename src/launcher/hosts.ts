// The hosts of a run as the user names them: `-H a:2,b:2`, or a file with one host a line:
//
//   a slots=2      # two worker threads; without slots, one for every core of that host
//   user@b
//   0 10.0.0.1 9999      or lines of Bösen: id, address, port
//
// A host that is named twice takes part twice.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

export type HostSpec = {
  /** As ssh takes it: `host` or `user@host`. */
  readonly name: string;
  /** Worker threads. */
  readonly slots?: number;
  readonly port?: number;
};

/** The name by which other hosts reach it. */
export function addressOf({ name }: HostSpec): string {
  return name.slice(name.lastIndexOf('@') + 1);
}

// Nothing that ssh could take for an option, or a shell for more than a word.
const namePattern = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_:][\w.:-]*$/;

const nextStep = 'write hosts as `name slots=N`, one a line; # begins a comment';

function slotsOf(text: string): number | undefined {
  const slots = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return slots >= 1 && slots <= limits.workersMax ? slots : undefined;
}

const slotsRule = `slots must be an integer from 1 to ${limits.workersMax}`;

function checkNumber(hosts: readonly HostSpec[], from: string): readonly HostSpec[] {
  if (hosts.length > 0 && hosts.length <= limits.hostsMax) return hosts;
  const rule = `${from} must name 1 to ${limits.hostsMax} hosts, it names ${hosts.length}`;
  throw new SystemError('ERR_CONFIG', `${rule}\n${nextStep}`);
}

/** `a:2,b:2`; an IPv6 address stands in brackets. @throws ERR_CONFIG */
export function parseHostList(text: string): readonly HostSpec[] {
  const hosts = text.split(',').map((item): HostSpec => {
    const [, bracketed, plain, slotsText] =
      /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(item.trim()) ?? [];
    const name = bracketed ?? plain ?? '';
    const next = 'write -H name:SLOTS,name:SLOTS, for example -H a:2,b:2';
    if (!namePattern.test(name)) {
      throw new SystemError('ERR_CONFIG', `-H must name hosts, got "${item}"\n${next}`);
    }
    if (slotsText === undefined) return { name };
    const slots = slotsOf(slotsText);
    if (slots !== undefined) return { name, slots };
    throw new SystemError('ERR_CONFIG', `-H ${item}: ${slotsRule}, got "${slotsText}"\n${next}`);
  });
  return checkNumber(hosts, '-H');
}

type Word = { readonly text: string; readonly at: string };
type BosenLine = { readonly id: number; readonly at: string; readonly host: HostSpec };

function refuse(word: Word, wrong: string): SystemError {
  return new SystemError('ERR_CONFIG', `${word.at}: ${wrong}, found "${word.text}"\n${nextStep}`);
}

function plainLine([name, ...settings]: readonly [Word, ...Word[]]): HostSpec {
  if (!namePattern.test(name.text)) throw refuse(name, 'a line must begin with the name of a host');
  let slots: number | undefined;
  for (const word of settings) {
    const value = /^slots=(.*)$/.exec(word.text)?.[1];
    if (value === undefined) throw refuse(word, 'after the name stands slots=N or nothing');
    if (slots !== undefined) throw refuse(word, 'slots must be given once');
    slots = slotsOf(value);
    if (slots === undefined) throw refuse(word, slotsRule);
  }
  return { name: name.text, ...(slots !== undefined && { slots }) };
}

function bosenLine(id: Word, name: Word, port: Word): BosenLine {
  if (!namePattern.test(name.text)) throw refuse(name, 'an address must follow the id');
  const number = Number(port.text);
  if (number < 1 || number > 65535) throw refuse(port, 'a port is a number from 1 to 65535');
  return { id: Number(id.text), at: id.at, host: { name: name.text, port: number } };
}

/** In order of their ids, which need not follow each other. */
function bosenHosts(lines: readonly BosenLine[]): readonly HostSpec[] {
  const sorted = [...lines].sort((a, b) => a.id - b.id);
  sorted.forEach(({ id, at }, i) => {
    if (id !== sorted[i - 1]?.id) return;
    const wrong = `${at}: every id must occur once, found "${id}" again`;
    throw new SystemError('ERR_CONFIG', `${wrong}\nnumber the hosts 0, 1, 2, …`);
  });
  // Up to version 0.93, id 0 was a name server beside host 1; hosts were 1, 1000, 2000, …
  const withNameServer = sorted[0]?.id === 0 && sorted.some(({ id }) => id >= 1000);
  return sorted.slice(withNameServer ? 1 : 0).map(({ host }) => host);
}

/** @throws ERR_CONFIG that begins with `path:line:column` of what is wrong. */
export function parseHostFile(text: string, path: string): readonly HostSpec[] {
  const plain: HostSpec[] = [];
  const bosen: BosenLine[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.forEach((line, i) => {
    const found = [...line.replace(/#.*/, '').matchAll(/\S+/g)];
    const words = found.map(({ 0: word, index }) => ({
      ...{ text: word, at: `${path}:${i + 1}:${index + 1}` },
    }));
    const [first, second, third] = words;
    if (first === undefined) return;
    const numbered = /^\d+$/.test(first.text) && third !== undefined && /^\d+$/.test(third.text);
    if (numbered && second !== undefined && words.length === 3) {
      if (plain.length > 0) throw refuse(first, 'the lines before this one have no id');
      bosen.push(bosenLine(first, second, third));
    } else {
      if (bosen.length > 0) throw refuse(first, 'every line must be `id address port`');
      plain.push(plainLine([first, ...words.slice(1)]));
    }
  });
  return checkNumber(bosen.length > 0 ? bosenHosts(bosen) : plain, path);
}
