// A file of the page as text, ready to go into it: scripts bundled and minified, styles minified.
// src/toolchain/page-text.mjs makes it while it bundles.
declare module '*?page' {
  export const text: string;
}
