// esbuild: `import { text } from './client.ts?page'` is that file as a text that goes into an HTML
// page: with what it imports, minified, for browsers.
import { build } from 'esbuild';
import { dirname, resolve } from 'node:path';

export const pageText = {
  name: 'page-text',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?page$/ }, ({ path, importer }) => ({
      path: resolve(dirname(importer), path.replace(/\?page$/, '')),
      namespace: 'page-text',
    }));
    onLoad({ filter: /.*/, namespace: 'page-text' }, async ({ path }) => {
      const { outputFiles, metafile } = await build({
        entryPoints: [path],
        ...{ bundle: true, minify: true, write: false, metafile: true, outdir: '.' },
        ...{ platform: 'browser', format: 'iife', target: 'es2022', legalComments: 'none' },
      });
      return {
        contents: `export const text = ${JSON.stringify(outputFiles[0].text.trim())};`,
        watchFiles: Object.keys(metafile.inputs).map((name) => resolve(name)),
      };
    });
  },
};
