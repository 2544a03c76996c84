"""Expected metrics for MetricsTests.swift, from scikit-learn and NumPy. Writes metrics.json beside this file.

Run: .venv/bin/python Tests/TrainingTests/Resources/metrics.py   (needs numpy, scikit-learn)
"""
import json
import pathlib

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, ndcg_score, roc_auc_score

random = np.random.default_rng(20261123)
cases = []
for n, levels in [(2, 2), (7, 3), (64, 5), (500, 1000)]:
    labels = random.random(n) < 0.4
    labels[0], labels[1] = True, False
    # Few levels make many ties.
    scores = np.round(random.random(n) * 0.7 + 0.2 * labels, 6)
    scores = (np.floor(scores * levels) / levels).astype(np.float32)
    probabilities = np.clip(scores, 0.01, 0.99).astype(np.float32)
    groups = random.integers(0, max(1, n // 6), n)
    areas, weights = [], []
    for group in np.unique(groups):
        rows = groups == group
        if labels[rows].min() != labels[rows].max():
            areas.append(roc_auc_score(labels[rows], scores[rows]))
            weights.append(rows.sum())
    bins = np.clip((probabilities * np.float32(10)).astype(int), 0, 9)
    error = sum(
        (bins == b).sum() / n * abs(probabilities[bins == b].astype(float).mean() - labels[bins == b].mean())
        for b in np.unique(bins)
    )
    cases.append(
        dict(
            scores=scores.tolist(),
            probabilities=probabilities.tolist(),
            labels=labels.tolist(),
            groups=groups.tolist(),
            areaUnderCurve=roc_auc_score(labels, scores),
            groupedAreaUnderCurve=float(np.average(areas, weights=weights)) if areas else None,
            logLoss=log_loss(labels, probabilities.astype(float)),
            calibrationError=float(error),
            calibrationRatio=float(probabilities.astype(float).sum() / labels.sum()),
        )
    )

ranked = []
for n, relevant, k in [(10, 3, 5), (50, 20, 10), (8, 1, 8), (30, 30, 7)]:
    truth = np.zeros(n, dtype=int)
    truth[random.choice(n, relevant, replace=False)] = 1
    order = random.permutation(n)
    score = np.empty(n)
    score[order] = np.arange(n, 0, -1)
    ranked.append(
        dict(
            ranked=order.tolist(),
            relevant=np.flatnonzero(truth).tolist(),
            k=k,
            recall=float(truth[order[:k]].sum() / relevant),
            hitRate=float(truth[order[:k]].max()),
            normalizedGain=float(ndcg_score([truth], [score], k=k)),
            precision=float(truth[order[:k]].mean()),
            # scikit-learn's average precision of a list is over its own positives; here all that there were to find count.
            averagePrecision=float(
                average_precision_score(truth[order[:k]], score[order[:k]]) * truth[order[:k]].sum() / relevant
                if truth[order[:k]].any()
                else 0
            ),
        )
    )

# Beta-binomial moments (Kleinman 1973), written with arrays rather than running sums.
priors = []
for things, a, b in [(400, 2.0, 6.0), (50, 30.0, 10.0), (3000, 0.5, 20.0)]:
    trials = random.integers(0, 60, things)
    successes = random.binomial(trials, random.beta(a, b, things))
    used = trials > 0
    s, n = successes[used].astype(float), trials[used].astype(float)
    mean = s.sum() / n.sum()
    spread = (n * (s / n - mean) ** 2).sum() / (mean * (1 - mean)) - (len(n) - 1)
    correlation = spread / (n.sum() - (n**2).sum() / n.sum() - (len(n) - 1))
    strength = 1 / correlation - 1
    priors.append(
        dict(
            successes=successes.tolist(), trials=trials.tolist(), a=mean * strength, b=(1 - mean) * strength,
            trueA=a, trueB=b,
        )
    )

# NDCG of graded gains within groups; groups without any gain say nothing.
graded = []
for n, k in [(40, 5), (300, 10)]:
    groups = random.integers(0, n // 8, n)
    gains = random.integers(0, 5, n) * (random.random(n) < 0.3)
    scores = random.permutation(n) / n
    values = [
        ndcg_score([gains[groups == g]], [scores[groups == g]], k=k) if (groups == g).sum() > 1 else 1.0
        for g in np.unique(groups)
        if gains[groups == g].any()
    ]
    graded.append(
        dict(
            scores=scores.tolist(), gains=gains.tolist(), groups=groups.tolist(), k=k,
            normalizedGain=float(np.mean(values)),
        )
    )

path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(dict(binary=cases, retrieval=ranked, priors=priors, graded=graded)) + "\n")
