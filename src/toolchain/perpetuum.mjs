#!/usr/bin/env node
// The command `perpetuum` of the package. It only calls the built program, and is there before the
// build: npm links a package's command when it installs the package, also for npx in a clone, and
// never again; a file that is missing then stays "not found" after the build.
import { existsSync } from 'node:fs';

const program = new URL('../../build/dist/cli.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write(
    'perpetuum is not built yet: run npm start here (it builds, and trains the demo)\n',
  );
  process.exitCode = 2;
}
