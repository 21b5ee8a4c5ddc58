// The package of code that a host gets, and the remote command that unpacks it: see protocol.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystemError } from '../../base/errors.ts';
import { helloMark } from './protocol.ts';

/**
 * Runs under `node -e '…'` in whatever shell the host has: one line, without quotes of that kind,
 * without ! and backslash. An old Node must at least come to its greeting.
 */
const program = [
  'const fs=require("fs"),os=require("os"),path=require("path"),url=require("url");',
  'let folder,parts=[],size=0;',
  // Whatever ends us but SIGKILL: the folder goes.
  'const quit=()=>process.exit(1);',
  'process.on("exit",()=>{if(folder)fs.rmSync(folder,{recursive:true,force:true})});',
  'for(const name of ["SIGINT","SIGTERM","SIGHUP"])process.on(name,quit);',
  'const input=process.stdin;',
  'process.stdout.on("error",quit);',
  'const boot=(all,end)=>{',
  'folder=fs.mkdtempSync(path.join(os.tmpdir(),"perpetuum-host-"));',
  'const list=8+all.readUInt32LE(4);let at=list;',
  'for(const [name,bytes] of JSON.parse(all.toString("utf8",8,list))){',
  'const file=path.join(folder,name);',
  'fs.mkdirSync(path.dirname(file),{recursive:true,mode:448});',
  'fs.writeFileSync(file,all.subarray(at,at+bytes),{mode:384});at+=bytes}',
  'input.off("data",take);input.pause();',
  'const entry=path.join(folder,"build/dist/relay-actor.js");',
  'import(url.pathToFileURL(entry).href).then((relay)=>{',
  'input.off("end",quit);input.off("error",quit);relay.serve({folder,rest:all.subarray(end)})',
  '}).catch((error)=>{console.error(error);quit()})};',
  'const take=(part)=>{parts.push(part);size+=part.length;if(size<4)return;',
  'if(parts[0].length<4)parts=[Buffer.concat(parts)];',
  'const end=4+parts[0].readUInt32LE(0);',
  'if(size>=end){const all=Buffer.concat(parts);parts=[];boot(all,end)}};',
  'input.on("data",take);input.on("end",quit);input.on("error",quit);',
  'const cores=os.availableParallelism?os.availableParallelism():os.cpus().length;',
  'const hello={node:process.versions.node,cores};',
  `console.log(os.EOL+"${helloMark}"+JSON.stringify(hello));`,
].join('');

/** The command for the remote shell. */
export const remoteCommand = `node -e '${program}'`;

/** Are they ours to ship? Tests and source maps stay at home. */
function isShipped(name: string): boolean {
  return /\.c?js$/.test(name) && !/\.(test|bench)\.js$/.test(name);
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/**
 * The code of this version as one block: what lies beside `hostEntry`, the kernels, package.json.
 * Any folder of code becomes build/dist there, because files find each other by their places.
 * @throws ERR_CONFIG when the package cannot be read.
 */
export function packCode(hostEntry: URL): Buffer {
  const dist = fileURLToPath(new URL('.', hostEntry));
  const wasm = fileURLToPath(new URL('../wasm/', hostEntry));
  const about = fileURLToPath(new URL('../../package.json', hostEntry));
  try {
    const files = [
      ['package.json', about] as const,
      ...readdirSync(dist)
        .filter(isShipped)
        .map((name) => [`build/dist/${name}`, join(dist, name)]),
      ...readdirSync(wasm)
        .filter((name) => name.endsWith('.wasm'))
        .map((name) => [`build/wasm/${name}`, join(wasm, name)]),
    ] as readonly (readonly [string, string])[];
    const bodies = files.map(([, path]) => readFileSync(path));
    const list = Buffer.from(JSON.stringify(files.map(([name], i) => [name, bodies[i]?.length])));
    const block = Buffer.concat([u32(list.length), list, ...bodies]);
    return Buffer.concat([u32(block.length), block]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const rule = `the package cannot be read: ${why}\ninstall perpetuum again, or npm run build`;
    throw new SystemError('ERR_CONFIG', rule, { cause });
  }
}

/** The name under which `hostEntry` lies in the package. */
export function entryName(hostEntry: URL): string {
  return basename(fileURLToPath(hostEntry));
}
