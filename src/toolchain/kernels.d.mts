// Types of kernels.mjs for tests and benchmarks.

/** Throws when a module, as text, could not be shared by several instances over one memory. */
export function checkModule(wat: string, name: string): void;

/** Compiler flags of each build. */
export const variants: Readonly<Record<'release' | 'relaxed' | 'debug', readonly string[]>>;

/**
 * Compiles an AssemblyScript file to `output` and its text beside it; rejects what fails the check.
 */
export function compile(source: string, output: string, flags: readonly string[]): Promise<void>;
