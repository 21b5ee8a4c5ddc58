// Types of kernels.mjs for the tests, which hold its check against modules that break it.

/** Throws when a module, as text, could not be shared by several instances over one memory. */
export function checkModule(wat: string, name: string): void;
