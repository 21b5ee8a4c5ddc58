#!/usr/bin/env python3
"""Topics by tomotopy, with its log-likelihood by seconds of sampling.

usage: topics_tomotopy.py JOB        JOB is a JSON object:

  text            lines `name label word word ...`
  topics, alpha, beta, threads
  sweeps, every   sweeps at most, and from one log-likelihood to the next
  seconds         of sampling at most
  out             where to write the topics, lines `tokens word:topic word:topic ...`; or ''

Prints JSON lines: one when all documents are there, one after every so many sweeps. Priors stay as
they are; the time of the log-likelihood is not counted.
"""
import json
import sys
import time

import tomotopy

job = json.loads(sys.argv[1])
model = tomotopy.LDAModel(k=job['topics'], alpha=job['alpha'], eta=job['beta'], seed=1)
model.optim_interval = 0
for line in open(job['text']):
    model.add_doc(line.split()[2:])
model.train(0)
print(json.dumps({'loaded': True, 'version': tomotopy.__version__}), flush=True)
sweep, seconds = 0, 0.0
while sweep < job['sweeps'] and seconds < job['seconds']:
    start = time.perf_counter()
    model.train(job['every'], workers=job['threads'])
    seconds += time.perf_counter() - start
    sweep += job['every']
    point = {'sweep': sweep, 'seconds': seconds, 'likelihood': model.ll_per_word}
    print(json.dumps(point), flush=True)
if job['out']:
    with open(job['out'], 'w') as out:
        for document in model.docs:
            pairs = zip(document.words, document.topics)
            out.write(f"{len(document.words)} {' '.join(f'{w}:{z}' for w, z in pairs)}\n")
