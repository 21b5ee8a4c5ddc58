// The working set of the lasso's solver: variables with slots, and their second moments. It grows
// by the worst violators; full, it is left to those that are not 0.
//
//   they take half of the slots at most     ─▶ the other slots are given up, G moves together
//   one host                                 ─▶ sweeps over the columns take over (sweeps.ts)
//   several                                  ─▶ blocks of a part of them, by turns
import { assert } from '../../base/assert.ts';
import { gramNewMax } from '../linear/gram.ts';
import { gramPartBytes } from './layout.ts';
import type { Penalty, Phases, Solver } from './solver.ts';

/** A working set grows by this share of the support: more costs moments, less passes. Measured. */
const growth = { share: 1 / 2, least: 128 } as const;
/**
 * Slots of variables that are 0 are given up where the others have at most this share: beyond it a
 * block costs more than sweeps do.
 */
const keptMost = 0.5;

/** Gives variables slots, and computes their second moments. */
function* append(solver: Solver, picked: Int32Array): Phases<void> {
  const { lane, n } = solver;
  const { i32, f64 } = lane.arena;
  const { slots } = lane.shape;
  for (let done = 0; done < picked.length; done += gramNewMax) {
    const list = picked.subarray(done, done + gramNewMax);
    const base = solver.used;
    const count = list.length;
    assert(base + count <= slots, 'there is a slot for each');
    list.forEach((variable, k) => {
      const slot = base + k;
      i32[lane.at('slotList') / 4 + slot] = variable;
      i32[lane.at('slotOf') / 4 + variable] = slot;
      f64[lane.at('slotMeans') / 8 + slot] = f64[lane.at('means') / 8 + variable] ?? 0;
      const scale = f64[lane.at('scales') / 8 + variable] ?? 0;
      f64[lane.at('slotScales') / 8 + slot] = scale / Math.sqrt(n);
    });
    lane.share('slotList', base * 4, count * 4);
    lane.share('slotMeans', base * 8, count * 8);
    lane.share('slotScales', base * 8, count * 8);
    if (lane.data.storage === 'csr') yield { kind: 'compact', base, count };
    yield { kind: 'gram', base, count };
    lane.kernels.gram_place(
      ...([lane.shape.hosts, gramPartBytes(lane.shape), base, count, slots] as const),
      ...([lane.at('gramParts'), lane.at('gram')] as const),
    );
    solver.used += count;
  }
}

/** Forgets all slots: when they are full, a block of the most urgent variables begins anew. */
function clearSlots(solver: Solver): void {
  const { lane } = solver;
  const { i32 } = lane.arena;
  const list = i32.subarray(lane.at('slotList') / 4, lane.at('slotList') / 4 + solver.used);
  for (const variable of list) i32[lane.at('slotOf') / 4 + variable] = -1;
  solver.used = 0;
}

/** Gives up the slots of variables that are 0. */
function keepSupport({ lane, ...solver }: Solver): number {
  const { arena, kernels, shape } = lane;
  const { i32, f64 } = arena;
  const [list, kept] = [lane.at('slotList') / 4, lane.at('changed')];
  let count = 0;
  for (let slot = 0; slot < solver.used; slot++) {
    const variable = i32[list + slot] ?? 0;
    const zero = f64[lane.at('u') / 8 + variable] === 0;
    i32[lane.at('slotOf') / 4 + variable] = zero ? -1 : count;
    if (zero) continue;
    // No place is written before it has been read: slots only move to the front.
    i32[list + count] = variable;
    i32[kept / 4 + count] = slot;
    count += 1;
  }
  const { slots } = shape;
  kernels.block_gather(count, kept, slots, lane.at('gram'), slots, lane.at('gram'));
  for (const name of ['slotMeans', 'slotScales'] as const) {
    kernels.f64_gather(count, kept, lane.at(name), lane.at(name));
    lane.share(name, 0, count * 8);
  }
  lane.share('slotList', 0, count * 4);
  return count;
}

/** Violators join the working set; too many for it, they are left to sweeps. */
export function* grow(
  solver: Solver,
  { l1 }: Penalty,
  from: { survivors: number; nonzeros: number },
): Phases<void> {
  const { lane, chooser } = solver;
  const { survivors, nonzeros } = from;
  const want = Math.max(growth.least, Math.ceil(growth.share * nonzeros));
  const ask = { lane, l1, survivors };
  let picked = chooser.violators(ask, want);
  const { hosts, slots } = lane.shape;
  const room = slots - solver.used;
  const full = picked.length > room;
  if (full && !solver.partial && nonzeros <= keptMost * slots) {
    solver.used = keepSupport(solver);
    picked = chooser.violators(ask, Math.min(want, slots - solver.used));
  } else if (full && hosts === 1) {
    solver.sweeping = true;
    return;
  } else if (full || (solver.partial && picked.length === 0)) {
    clearSlots(solver);
    const kept = chooser.support(lane, Math.ceil(slots / 2));
    solver.partial = kept.length < nonzeros;
    yield* append(solver, kept);
    picked = chooser.violators(ask, Math.min(want, slots - solver.used));
  }
  yield* append(solver, picked);
}
