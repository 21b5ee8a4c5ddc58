// Steps (../steps.ts) on a loader thread: a kernel each.
import { unreachable } from '../../base/assert.ts';
import type { Step, StepsResult, StepsTask } from '../tasks.ts';
import { isCancelled } from './stream.ts';
import type { LoaderThread } from './thread.ts';

/** Runs one step; returns its answer, if it has one. */
export function runStep(thread: LoaderThread, step: Step): number {
  const { kernels, arena } = thread;
  const mapOf = (map: Int32Array) => {
    arena.i32.set(map, thread.maps / 4);
    return thread.maps;
  };
  switch (step.op) {
    case 'shift':
      return kernels.i32_shift(step.n, step.delta, step.at);
    case 'rebase':
      return kernels.i32_rebase(step.n, step.base, step.count, step.at);
    case 'remap':
      if (step.map === null) return kernels.bytes_copy(step.n * 4, step.from, step.to);
      return kernels.i32_remap(step.n, mapOf(step.map), step.from, step.to);
    case 'place': {
      const map = step.map === null ? 0 : mapOf(step.map);
      return kernels.i32_scatter(step.n, step.base, step.rows, map, step.at, step.from, step.to);
    }
    case 'widen': {
      const { rows, columns, fromStride, toStride, from, to } = step;
      return kernels.u8_to_f32_rows(rows, columns, fromStride, toStride, from, to);
    }
    case 'zero':
      return kernels.bytes_zero(step.bytes, step.at);
    case 'fill':
      return kernels.i32_fill(step.n, step.value, step.at);
    case 'find':
      return kernels.i32_find(step.n, step.value, step.at);
    case 'sort':
      return kernels.csr_sort_rows(step.rows, step.rowStart, step.index, step.value);
    case 'bags': {
      const { rows, base, words, map, rowStart, index, count } = step;
      return kernels.bag_rows(rows, base, words, map, rowStart, index, count);
    }
    case 'documents':
      return kernels.word_documents(step.n, step.table, step.at);
    case 'select':
      return kernels.word_select(step.table, step.least, step.most, step.to);
    case 'empty':
      return kernels.bag_empty(step.rows, step.rowStart);
    case 'total':
      return kernels.i32_total(step.n, step.at);
    case 'twice': {
      const at = step.rowStart / 4 + step.row;
      const [first = 0, end = 0] = arena.i32.subarray(at, at + 2);
      return kernels.csr_twice(end - first, step.index + first * 4);
    }
    default:
      return unreachable(step);
  }
}

export function steps(thread: LoaderThread, task: StepsTask): StepsResult {
  const answers: number[] = [];
  for (const step of task.steps) {
    if (isCancelled(task.control)) break;
    answers.push(runStep(thread, step) ?? 0);
  }
  return { kind: 'steps', answers };
}
