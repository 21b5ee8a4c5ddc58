// The built-in programs by name: what a plan may name and every actor knows.
import type { AnyProgram } from '../program/program.ts';

export const builtInPrograms: ReadonlyMap<string, AnyProgram> = new Map<string, AnyProgram>([]);
