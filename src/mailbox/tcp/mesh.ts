import type { Network, NetworkListener } from '../network.ts';
export type MeshOptions = { readonly rank: number; readonly size: number };
export type Mesh = Network & { readonly threads: readonly number[]; listen(l: NetworkListener): void; close(): Promise<void> };
export function joinMesh(options: MeshOptions): Promise<Mesh> { throw new Error(String(options.rank)); }
