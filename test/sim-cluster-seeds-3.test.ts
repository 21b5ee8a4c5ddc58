// Part 3 of the seeds of the parameter server's fuzz.
import { test } from 'uvu';
import { testSeeds } from './helpers/ps-seeds.ts';

testSeeds(3);

test.run();
