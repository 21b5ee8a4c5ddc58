// Thread entry of a scheduler actor. The loop is in src/program.
import { builtInPrograms } from '../src/models/programs.ts';
import { schedulerActor } from '../src/program/actor.ts';
import { serveActor } from '../src/supervisor/actor-entry.ts';

serveActor((boot) => schedulerActor(boot, builtInPrograms));
