// perpetuum doctor: is this machine ready, and what would make it faster? One table, one verdict.
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { limits } from '../../base/limits.ts';
import { chooseVariant, compileKernels } from '../../memory/kernels.ts';
import { bytesText } from '../format.ts';

/** `bad` means that perpetuum cannot run here; `advice` that it could run better. */
export type Check = {
  readonly state: 'ok' | 'advice' | 'bad';
  readonly what: string;
  readonly found: string;
  readonly advice?: string;
};

const nodeMinimum = [20, 19] as const;
const freeDiskBytes = 1e9;
const freeMemoryBytes = 1e9;

function attempt(what: string, advice: string, probe: () => string): Check {
  try {
    return { state: 'ok', what, found: probe() };
  } catch (error) {
    return { state: 'bad', what, found: `no: ${(error as Error).message}`, advice };
  }
}

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > nodeMinimum[0] || (major === nodeMinimum[0] && minor >= nodeMinimum[1]);
  const what = 'Node.js';
  if (enough) return { state: 'ok', what, found: version };
  const advice = `install Node.js ${nodeMinimum.join('.')} or newer`;
  return { state: 'bad', what, found: version, advice };
}

function checkCores(): Check {
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return { state: 'ok', what: 'cores', found: `${cores} usable, ${model}` };
}

/** Node 20 has process.constrainedMemory, its types lag behind; 0 is "no limit". */
function memoryLimit(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

function checkMemory(): Check {
  const found = `${bytesText(memoryLimit())}, ${bytesText(freemem())} free`;
  if (freemem() >= freeMemoryBytes) return { state: 'ok', what: 'memory', found };
  return { state: 'advice', what: 'memory', found, advice: 'close other programs' };
}

// (module (func (result v128) i32.const 0 i8x16.splat))
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123],
  ...[3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
);

function checkSimd(): Check {
  const update = 'use a processor and a Node.js that have WebAssembly SIMD';
  return attempt('SIMD', update, () => {
    if (!WebAssembly.validate(SIMD_PROBE)) throw new Error('refused by this Node.js');
    return 'yes, 128 bits';
  });
}

function checkRelaxed(): Check {
  const what = 'relaxed SIMD';
  const variant = attempt(what, 'unset PERPETUUM_KERNELS', () =>
    chooseVariant({ reproducible: false }),
  );
  if (variant.state === 'bad' || variant.found === 'relaxed') {
    return { ...variant, found: variant.found === 'relaxed' ? 'yes' : variant.found };
  }
  const advice = 'a newer Node.js has fused multiply-add; unset PERPETUUM_KERNELS if it is set';
  return { state: 'advice', what, found: `no: ${variant.found} kernels`, advice };
}

function checkKernels(): Check {
  return attempt('kernels', 'build or install perpetuum again', () => {
    compileKernels('release');
    return 'compiled';
  });
}

function checkSharedMemory(): Check {
  const advice = 'allow a large address space: ulimit -v unlimited';
  return attempt('shared memory', advice, () => {
    const pages = limits.memoryBytes / 65536;
    // Lazy: nothing is used until it is written, and it goes back at once.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return `${memory.buffer.byteLength / 2 ** 30} GiB can be reserved`;
  });
}

const hugePagesPath = '/sys/kernel/mm/transparent_hugepage/enabled';

/** `always [madvise] never` → advice. Memory of WebAssembly is huge pages with `always` alone. */
export function checkHugePages(setting: string | undefined): Check {
  const what = 'huge pages';
  const chosen = /\[(\w+)\]/.exec(setting ?? '')?.[1];
  if (chosen === undefined) return { state: 'ok', what, found: 'not a setting of this system' };
  if (chosen === 'always') return { state: 'ok', what, found: 'always' };
  const advice = `large sparse models run up to 3 times faster with: echo always > ${hugePagesPath}`;
  return { state: 'advice', what, found: chosen, advice };
}

function hugePagesSetting(): string | undefined {
  try {
    return readFileSync(hugePagesPath, 'utf8');
  } catch {
    return undefined; // Not Linux, or a kernel without them.
  }
}

function checkDisk(): Check {
  return attempt('free disk', 'start in a folder that exists and can be read', () => {
    const { bavail, bsize } = statfsSync(process.cwd());
    const found = `${bytesText(bavail * bsize)} in this folder`;
    return bavail * bsize < freeDiskBytes ? `${found}: models may not fit` : found;
  });
}

export function runChecks(): readonly Check[] {
  return [
    checkNode(process.versions.node),
    checkCores(),
    checkMemory(),
    checkSimd(),
    checkRelaxed(),
    checkSharedMemory(),
    checkKernels(),
    checkHugePages(hugePagesSetting()),
    checkDisk(),
  ];
}

export function doctorText(checks: readonly Check[]): string {
  const marks = { ok: 'ok', advice: 'hint', bad: 'BAD' };
  const rows = checks.map(({ state, what, found, advice }) => {
    const more = advice === undefined ? '' : `${' '.repeat(22)}${advice}\n`;
    return `${marks[state].padEnd(6)}${what.padEnd(16)}${found}\n${more}`;
  });
  const bad = checks.filter((check) => check.state === 'bad').length;
  const verdict =
    bad === 0 ? 'This machine can run perpetuum.' : `${bad} of ${checks.length} checks failed.`;
  return `${rows.join('')}\n${verdict}\n`;
}

export function isReady(checks: readonly Check[]): boolean {
  return checks.every((check) => check.state !== 'bad');
}
