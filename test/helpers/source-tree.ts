// The repository as text: what test/tidy.test.ts reads.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export type SourceFile = {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of strings blanked out. */
  readonly code: string;
};

export type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean };

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const skipped = new Set(['node_modules', 'build', '.git']);
const textual = /\.(ts|mts|mjs|js|json|md|txt)$|^[A-Z]+$/;
const noise = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** Keeps line breaks, and the quotes of strings. */
const blank = (match: string) =>
  match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match[0]! + match.at(-1);

function* walk(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (skipped.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/** Every text file of the repository, in order of their paths. */
export function readTree(): readonly SourceFile[] {
  const paths = [...walk(root)].filter((path) => textual.test(path.split(sep).at(-1) ?? ''));
  return paths.map((path) => {
    const text = readFileSync(path, 'utf8');
    const name = relative(root, path).split(sep).join('/');
    return { path: name, text, code: text.replace(noise, blank) };
  });
}

export function readRoot(name: string): string | undefined {
  const path = join(root, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

const importing = /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm;
const dynamic = /\bimport\('([^']+)'\)/g;

/** What a file imports: paths from the root, or the names of packages. */
export function importsOf(file: SourceFile): readonly Import[] {
  const found: { to: string; typeOnly: boolean }[] = [];
  for (const [, type, from, bare] of file.text.matchAll(importing)) {
    found.push({ to: from ?? bare ?? '', typeOnly: type !== undefined });
  }
  for (const [, to = ''] of file.text.matchAll(dynamic)) found.push({ to, typeOnly: false });
  return found.map(({ to, typeOnly }) => {
    // The file as text: see src/toolchain/page-text.mjs.
    const name = to.replace('?page', '');
    const path = name.startsWith('.') ? posix.join(posix.dirname(file.path), name) : name;
    return { from: file.path, to: path, typeOnly };
  });
}

/** Values (not types) that a file exports by name. */
export function exportedValues(file: SourceFile): readonly string[] {
  const declared = /^export (?:async )?(?:const|let|class|function\*?) (\w+)/gm;
  return [...file.code.matchAll(declared)].map(([, name = '']) => name);
}
