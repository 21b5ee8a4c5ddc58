// The order in which threads were inside the table lock: a byte each, the thread's number, written
// in the section itself at the next ticket. Sections of readers may be at the same time; among
// themselves their order does not matter.
import type { Arena } from '../memory/arena.ts';
import { controlIndex, controlLine } from '../memory/layout.ts';
import type { TableLock } from '../store/lock.ts';
import { recordFull } from './bytes.ts';

/** Room for tickets in a host's memory. */
export type TicketRoom = { readonly at: number; readonly bytes: number };

const cell = controlIndex(controlLine.ticket);

export function ticketing(
  lock: TableLock,
  arena: Arena,
  room: TicketRoom,
  thread: number,
): TableLock {
  const note = () => {
    const ticket = Atomics.add(arena.i32, cell, 1);
    if (ticket >= room.bytes) throw recordFull('sections of the table lock');
    arena.u8[room.at + ticket] = thread;
  };
  const noted = <T>(section: () => T): T => {
    note();
    return section();
  };
  return {
    read: (section) => lock.read(() => noted(section)),
    write: (section) => lock.write(() => noted(section)),
  };
}

/** The tickets of a run that has ended. */
export function ticketsOf(arena: Arena, { at }: TicketRoom): Uint8Array {
  return arena.u8.slice(at, at + Atomics.load(arena.i32, cell));
}
