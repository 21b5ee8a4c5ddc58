#!/usr/bin/env python3
"""Multinomial logistic regression by scikit-learn's L-BFGS, timed to a stated objective.

usage: softmax_lbfgs.py IMAGES LABELS LAMBDA TARGET LIMIT_SECONDS

Reads MNIST-style idx files (gzip or not), pixels / 255, float32. Minimizes
(1/n) sum cross-entropy + LAMBDA/2 |W|^2 with a free intercept, and stops at the first evaluation
whose objective is at most TARGET. Prints one JSON line: seconds to import and load, seconds of
fitting until the target (null when the limit came first), the last objective, evaluations.
"""
import json
import sys
import time

start = time.perf_counter()
import gzip

import numpy as np
import sklearn.linear_model._logistic as logistic
from sklearn.linear_model import LogisticRegression

images, labels, lam, target, limit = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6])


def idx(path, header):
    reader = gzip.open if path.endswith('.gz') else open
    with reader(path, 'rb') as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


y = idx(labels, 8)
X = idx(images, 16).reshape(len(y), -1).astype(np.float32) / np.float32(255)
loaded = time.perf_counter()
n, classes = len(y), len(np.unique(y))
state = {'scale': None, 'objective': None, 'evaluations': 0}


class Reached(Exception):
    pass


def watch(function):
    def evaluate(w, *args):
        value, gradient = function(w, *args)
        # The first evaluation is at W = 0, where the objective is ln K: this finds the scaling.
        if state['scale'] is None:
            state['scale'] = np.log(classes) / value
        state['objective'] = float(value * state['scale'])
        state['evaluations'] += 1
        if state['objective'] <= target or time.perf_counter() - loaded > limit:
            raise Reached
        return value, gradient
    return evaluate


minimize = logistic.optimize.minimize
logistic.optimize.minimize = lambda function, *args, **named: minimize(watch(function), *args, **named)
try:
    LogisticRegression(C=1 / (lam * n), tol=1e-12, max_iter=100000, multi_class='multinomial').fit(X, y)
except Reached:
    pass
end = time.perf_counter()
reached = state['objective'] <= target
print(json.dumps({
    'load': loaded - start,
    'fit': end - loaded if reached else None,
    'objective': state['objective'],
    'evaluations': state['evaluations'],
}))
