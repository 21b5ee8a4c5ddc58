// What travels between the guardian and its host process, over the process channel ('advanced'
// serialization: structured clone).
//
//   guardian                      host
//            <------ ready             it listens
//   job      ------>
//            <------ event …           JobEvents, in order
//            <------ alive             every limits.aliveMs, whatever else there is to say
//   stop     ------>                   aborts the job; the host ends within limits.hostExitMs
//            <------ done | fault      exactly one, the last message; then the host exits
//
// The channel itself is the lifeline: a host whose channel closes has lost its guardian and exits.
import type { Fault } from '../base/errors.ts';
import type { Job, JobDone, JobEvent } from '../jobs/job.ts';

export type ToHost = { readonly kind: 'job'; readonly job: Job } | { readonly kind: 'stop' };

export type FromHost =
  | { readonly kind: 'ready' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'event'; readonly event: JobEvent }
  | { readonly kind: 'done'; readonly done: JobDone }
  | { readonly kind: 'fault'; readonly fault: Fault };
