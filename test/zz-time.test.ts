import { loadCorpus } from '../src/data/load-corpus.ts';
import { startHost } from './helpers/loading.ts';
const [path = '', threads = '2', options = '{}'] = process.argv.slice(2);
const host = startHost(Number(threads));
await loadCorpus([path], JSON.parse(options), host).catch((e: unknown) => console.log(e));
for (let i = 0; i < 3; i++) {
  const t = performance.now(); const c = process.cpuUsage();
  const mark = host.arena.mark();
  const { blocks, vocabulary, names, dates, ...rest } = await loadCorpus([path], JSON.parse(options), host);
  const u = process.cpuUsage(c);
  console.log(`${(performance.now() - t).toFixed(0)} ms wall, ${((u.user + u.system) / 1000).toFixed(0)} ms cpu`, (host.arena.mark() - mark) / 2 ** 20, 'MiB', blocks.length, JSON.stringify({ ...rest, vocabulary: vocabulary.length, names: names.length, dates: dates?.length }).slice(0, 300));
  host.arena.release(mark);
}
await host.close();
