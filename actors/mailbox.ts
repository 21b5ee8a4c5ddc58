// Thread entry of the mailbox actor. The loop is in src/cluster.
import { mailboxActor } from '../src/cluster/mailbox-actor.ts';
import { builtInPrograms } from '../src/models/programs.ts';
import { serveActor } from '../src/supervisor/actor-entry.ts';

serveActor((boot) => mailboxActor(boot, builtInPrograms));
