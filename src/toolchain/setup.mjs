// Makes a fresh clone usable: right Node, installed packages. Plain JavaScript, because it runs
// before anything is installed or built. Every npm script begins here, so no step comes before it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const minimum = [20, 19];

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) return;
  console.error(
    `perpetuum needs Node ${minimum.join('.')} or newer, this is ${process.versions.node}. ` +
      'Install a current Node and run the same command again.',
  );
  process.exit(2);
}

/** Installs the locked packages when the lock file is not the one that was installed last. */
export function setup() {
  requireNode();
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const wanted = lock.digest('hex');
  const stamp = join(root, 'node_modules', '.perpetuum-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('installing the packages that package-lock.json names …');
  const shell = process.platform === 'win32';
  const arguments_ = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync('npm', arguments_, { cwd: root, stdio: ['ignore', 2, 2], shell });
  if (done.status !== 0) {
    console.error('npm ci failed: see its message above; is the npm registry reachable?');
    process.exit(done.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}

/** Runs a program of node_modules with Node; returns its exit status. */
export function runTool(script, arguments_, options = {}) {
  const done = spawnSync(process.execPath, [join(root, 'node_modules', script), ...arguments_], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
  return done.status ?? 1;
}
