#!/usr/bin/env python3
"""Lasso and binary logistic regression by scikit-learn or celer, timed from the start of the process.

usage: linear.py JOB        JOB is a JSON object:

  solver     sklearn-lasso | celer-lasso | sklearn-saga | sklearn-lbfgs | celer-logistic
  text       libsvm text, or CSV without a header whose last column is the label
  format     libsvm | csv
  lambdas    one value, or the values of a path in falling order
             lasso     1/(2n) |y - X b|^2 + lambda |b|_1
             logistic  (1/n) sum log(1 + exp(-y z)) + lambda |w|_1, or lambda/2 |w|^2 by lbfgs
  tolerance  the solver's own
  started    seconds since 1970 at which the harness started this process
  out        where to write the coefficients: float64, one vector for each lambda

Prints one JSON line: seconds to import and load, seconds to fit, and both from the start. Writing
the coefficients comes after and is not in it. No intercept; nothing is standardised.
"""
import json
import sys
import time
import warnings

job = json.loads(sys.argv[1])
warnings.filterwarnings('ignore')

import numpy as np

lambdas, tolerance = np.array(job['lambdas']), job['tolerance']
if job['format'] == 'libsvm':
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(job['text'])
    if job['solver'] in ('sklearn-lasso', 'celer-lasso', 'celer-logistic'):
        X = X.tocsc()
else:
    import pandas

    table = pandas.read_csv(job['text'], header=None).to_numpy()
    X, y = np.asfortranarray(table[:, :-1]), table[:, -1].copy()
n = len(y)
path = len(lambdas) > 1
common = dict(fit_intercept=False, tol=tolerance)


def lasso(module):
    if not path:
        model = module.Lasso(alpha=lambdas[0], max_iter=10 ** 7 if module is sk else 1000, **common)
        return lambda: model.fit(X, y).coef_
    if module is sk:
        return lambda: sk.lasso_path(X, y, alphas=lambdas, tol=tolerance, max_iter=10 ** 7)[1].T
    return lambda: celer.celer_path(X, y, 'lasso', alphas=lambdas, tol=tolerance, max_iter=1000)[1].T


def logistic(model_class, **options):
    model = model_class(C=1 / (lambdas[0] * n), **common, **options)
    return lambda: model.fit(X, y).coef_


if job['solver'].startswith('sklearn'):
    import sklearn.linear_model as sk
else:
    import celer

    sk = None
fit = {
    'sklearn-lasso': lambda: lasso(sk),
    'celer-lasso': lambda: lasso(celer),
    'sklearn-saga': lambda: logistic(sk.LogisticRegression, penalty='l1', solver='saga', max_iter=10 ** 6),
    'sklearn-lbfgs': lambda: logistic(sk.LogisticRegression, solver='lbfgs', max_iter=10 ** 6),
    'celer-logistic': lambda: logistic(celer.LogisticRegression, solver='celer-pn', max_iter=1000),
}[job['solver']]()
loaded = time.time()
coefficients = fit()
end = time.time()
print(json.dumps({'load': loaded - job['started'], 'train': end - loaded, 'wall': end - job['started']}))
np.ascontiguousarray(coefficients, dtype=np.float64).tofile(job['out'])
