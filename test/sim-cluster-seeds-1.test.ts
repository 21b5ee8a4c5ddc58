// Part 1 of the seeds of the parameter server's fuzz.
import { test } from 'uvu';
import { testSeeds } from './helpers/ps-seeds.ts';

testSeeds(1);

test.run();
