#!/usr/bin/env python3
"""Writes golden/itemcf.safetensors: a small log and what ItemCF makes of it, by brute force on dense NumPy matrices; and
golden/cooccurrence.safetensors: what Swing and UserCF make of the same log; and golden/als.safetensors: what alternating
least squares make of it, by dense solvers and by dense conjugate gradients; and golden/lists.safetensors: what sequence
rules, the Markov chain and EASE make of it.
Given the folder of MovieLens 100K, also golden/movielens.safetensors: the lists of some of its films.

    pip install numpy safetensors
    python3 Tests/RecallTests/make_golden.py [ml-100k]

The log has repeated showings, users over the history cap, likes of every strength and items nobody likes.
"""
import os
import sys

import numpy as np
from safetensors.numpy import save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
USERS, ITEMS, SHOWINGS, HISTORY, NEIGHBOURS, UNTIL = 70, 50, 2200, 14, 6, 2000
INTEREST = [1 << 1, 1 << 2, 1 << 3, 1 << 4]  # click, like, collect, share

random = np.random.default_rng(17)
user = random.integers(0, USERS, SHOWINGS)
item = np.minimum(random.geometric(0.06, SHOWINGS) - 1, ITEMS - 3)
time = np.arange(SHOWINGS)
actions = np.zeros(SHOWINGS, np.int64)
for bit, share in [(0, 0.9), (1, 0.4), (2, 0.2), (3, 0.1), (4, 0.05), (5, 0.1), (7, 0.05), (8, 0.3)]:
    actions |= (random.random(SHOWINGS) < share).astype(np.int64) << bit


def interest(bits):
    return sum(1 for action in INTEREST if bits & action)


def like_matrix(least=1):
    """like(u, i) before UNTIL, of each user's HISTORY items that last got `least`; -1 where nothing is observed."""
    like = np.full((USERS, ITEMS), -1.0)
    for u in range(USERS):
        rows = [r for r in range(UNTIL) if user[r] == u and interest(actions[r]) >= least]
        last = {item[r]: r for r in rows}
        for i in sorted(last, key=last.get)[-HISTORY:]:
            like[u, i] = interest(np.bitwise_or.reduce([actions[r] for r in rows if item[r] == i]))
    return like


def best(scores, limit):
    """Positions of positive scores, best first, ties by position."""
    order = sorted((i for i in range(len(scores)) if scores[i] > 0), key=lambda i: (-scores[i], i))
    return order[:limit]


like = np.maximum(like_matrix(), 0)
overlap = like.T @ like
square = np.diag(overlap)
with np.errstate(invalid="ignore", divide="ignore"):
    cosine = np.nan_to_num(overlap / np.sqrt(np.outer(square, square))).astype(np.float32)
np.fill_diagonal(cosine, 0)

lists = np.full((ITEMS, NEIGHBOURS), -1, np.int64)
for i in range(ITEMS):
    found = best(cosine[i], NEIGHBOURS)
    lists[i, : len(found)] = found
similarities = np.where(lists >= 0, np.take_along_axis(cosine, np.maximum(lists, 0), 1), 0).astype(np.float32)

queries, query_weights, results, result_scores = [], [], [], []
for _ in range(25):
    triggers = random.choice(ITEMS, random.integers(1, 12), replace=False)
    weights = random.integers(1, 5, len(triggers)).astype(np.float32)
    score = np.zeros(ITEMS, np.float32)
    for i, weight in zip(triggers, weights):
        for j, similarity in zip(lists[i], similarities[i]):
            if j >= 0:
                score[j] += weight * similarity  # float32, in the order of the triggers
    score[triggers] = 0
    found = best(score, 15)
    queries.append(np.pad(triggers, (0, 12 - len(triggers)), constant_values=-1))
    query_weights.append(np.pad(weights, (0, 12 - len(weights))))
    results.append(np.pad(found, (0, 15 - len(found)), constant_values=-1))
    result_scores.append(np.pad(score[found], (0, 15 - len(found))))

liked = [{item[r] for r in range(UNTIL) if user[r] == u and interest(actions[r]) > 0} for u in range(USERS)]
capped = sum(len(items) > HISTORY for items in liked)

os.makedirs(HERE, exist_ok=True)
save_file(
    {
        "user": user, "item": item, "time": time, "actions": actions, "lists": lists, "similarities": similarities,
        "parameters": np.array([USERS, ITEMS, HISTORY, NEIGHBOURS, UNTIL, capped]), "queries": np.array(queries),
        "query_weights": np.array(query_weights, np.float32), "results": np.array(results),
        "result_scores": np.array(result_scores, np.float32),
    },
    os.path.join(HERE, "itemcf.safetensors"),
)
os.chmod(os.path.join(HERE, "itemcf.safetensors"), 0o644)


def mixed(word):
    """One step of SplitMix64 from the state `word`."""
    mask = 2**64 - 1
    z = (word + 0x9E3779B97F4A7C15) & mask
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
    return z ^ (z >> 31)


def drawn(likes, limit, seed):
    """[USERS, ITEMS]: the users of every item that count when at most `limit` do."""
    result = np.zeros_like(likes)
    for i in range(ITEMS):
        order = sorted(np.flatnonzero(likes[:, i]), key=lambda u: mixed(mixed(seed) ^ (i << 32 | int(u))))
        result[order[:limit], i] = True
    return result


def neighbours_of(similarity, limit):
    """Rows and values of the best of every row, padded with -1 and 0."""
    similarity = similarity.astype(np.float32)
    rows = np.full((len(similarity), limit), -1, np.int64)
    for i, scores in enumerate(similarity):
        found = best(scores, limit)
        rows[i, : len(found)] = found
    return rows, np.where(rows >= 0, np.take_along_axis(similarity, np.maximum(rows, 0), 1), 0).astype(np.float32)


def swing(likes, counted, alpha):
    """`counted`: which users of an item make pairs. What two users share is counted over all they like."""
    common = likes.astype(int) @ likes.T.astype(int)
    pair = 1 / (alpha + common)
    np.fill_diagonal(pair, 0)
    result = np.zeros((ITEMS, ITEMS))
    for i in range(ITEMS):
        for j in range(ITEMS):
            if i != j:
                both = np.flatnonzero(counted[:, i] & counted[:, j])
                result[i, j] = pair[np.ix_(both, both)].sum()
    return result


def user_similarity(likes, counted):
    """`counted`: through which of their items users are found as neighbours (columns of the result)."""
    popularity = likes.sum(0)
    weight = np.where(popularity > 0, 1 / np.log(1 + np.maximum(popularity, 1)), 0)
    size = likes.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.nan_to_num((likes * weight) @ counted.T / np.sqrt(np.outer(size, size)))
    return result, weight, size


likes = like > 0
USERS_MAX, SEED = 9, 5
counted = drawn(likes, USERS_MAX, SEED)
more = {"cooccurrence.parameters": np.array([USERS_MAX, SEED, (likes.sum(0) > USERS_MAX).sum()])}
for name, members in [("all", likes), ("drawn", counted)]:
    more[f"swing.{name}.rows"], more[f"swing.{name}.values"] = neighbours_of(swing(likes, members, 1.0), NEIGHBOURS)
    similarity, weight, size = user_similarity(likes, members)
    np.fill_diagonal(similarity, 0)
    more[f"usercf.{name}.rows"], more[f"usercf.{name}.values"] = neighbours_of(similarity, NEIGHBOURS)

# What users who are not in the log, but like the triggers of the queries, are offered by their NEIGHBOURS neighbours.
found_rows, found_values, offered, offered_scores = [], [], [], []
for triggers in queries:
    own = np.zeros(ITEMS, bool)
    own[triggers[triggers >= 0]] = True
    with np.errstate(invalid="ignore", divide="ignore"):
        similarity = np.nan_to_num((likes & own) @ weight / np.sqrt(own.sum() * size))
    rows, values = neighbours_of(similarity[None], NEIGHBOURS)
    score = sum(value * like[row] for row, value in zip(rows[0], values[0]) if row >= 0)
    score[own] = 0
    found = best(score, 15)
    found_rows.append(rows[0])
    found_values.append(values[0])
    offered.append(np.pad(found, (0, 15 - len(found)), constant_values=-1))
    offered_scores.append(np.pad(score[found], (0, 15 - len(found))))
more |= {
    "live.rows": np.array(found_rows), "live.values": np.array(found_values), "live.items": np.array(offered),
    "live.scores": np.array(offered_scores, np.float32),
}
save_file(more, os.path.join(HERE, "cooccurrence.safetensors"))
os.chmod(os.path.join(HERE, "cooccurrence.safetensors"), 0o644)


def transitions(window, normalization):
    """What follows an item, up to `window` places later, each step 1 / distance."""
    counts = np.zeros((ITEMS, ITEMS))
    for u in range(USERS):
        rows = [r for r in range(UNTIL) if user[r] == u and interest(actions[r]) > 0]
        last = {item[r]: r for r in rows}
        history = sorted(last, key=last.get)[-HISTORY:]
        for place, i in enumerate(history):
            for distance in range(1, window + 1):
                if place + distance < len(history):
                    counts[i, history[place + distance]] += 1 / distance
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(counts / counts.sum(1, keepdims=True) ** normalization)


def ease(regularization):
    inverse = np.linalg.inv(likes.T.astype(float) @ likes + regularization * np.eye(ITEMS))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


more = {}
for name, matrix in [("markov", transitions(1, 1)), ("sequence", transitions(3, 0.5)), ("ease", ease(5.0))]:
    more[f"{name}.rows"], more[f"{name}.values"] = neighbours_of(matrix, NEIGHBOURS)
save_file(more, os.path.join(HERE, "lists.safetensors"))
os.chmod(os.path.join(HERE, "lists.safetensors"), 0o644)


FACTORS, ALPHA, REGULARIZATION, ITERATIONS = 8, 2.0, 0.5, 3


def normal_equations(values, factors, implicit):
    """Matrix and right side of one row's least squares; -1 in `values` is not observed."""
    seen = values > 0 if implicit else values >= 0
    own, value = factors[seen], values[seen]
    if implicit:
        confidence = 1 + ALPHA * value
        left, right = factors.T @ factors + (own * (confidence - 1)[:, None]).T @ own, own.T @ confidence
    else:
        left, right = own.T @ own, own.T @ value
    return left + REGULARIZATION * np.eye(FACTORS), right


def conjugate_gradients(left, right, x, steps):
    x = x.copy()
    residual = right - left @ x
    direction = residual.copy()
    for _ in range(steps if residual.any() else 0):
        step = residual @ residual / (direction @ left @ direction)
        x += step * direction
        shorter = residual - step * left @ direction
        direction = shorter + shorter @ shorter / (residual @ residual) * direction
        residual = shorter
    return x


def alternate(matrix, users, items, implicit, steps):
    """ITERATIONS of alternating least squares, each row solved exactly (`steps` None) or by some steps of gradients."""
    def improve(side, rows, other):
        for row, values in enumerate(rows):
            left, right = normal_equations(values, other, implicit)
            side[row] = np.linalg.solve(left, right) if steps is None else conjugate_gradients(left, right, side[row], steps)

    users, items = users.copy(), items.copy()
    for _ in range(ITERATIONS):
        improve(users, matrix, items)
        improve(items, matrix.T, users)
    return users, items


def loss(matrix, users, items, implicit):
    weight = 1 + ALPHA * np.maximum(matrix, 0) if implicit else (matrix >= 0).astype(float)
    target = (matrix > 0).astype(float) if implicit else matrix
    squares = (users**2).sum() + (items**2).sum()
    return ((weight * (target - users @ items.T) ** 2).sum() + REGULARIZATION * squares) / weight.sum()


shown = like_matrix(0)
more = {
    "parameters": np.array([FACTORS, ALPHA, REGULARIZATION, ITERATIONS], np.float32),
    "users": random.uniform(0, 0.3, (USERS, FACTORS)).astype(np.float32),
    "items": random.uniform(0, 0.3, (ITEMS, FACTORS)).astype(np.float32),
}
for name, matrix, implicit in [("implicit", like, True), ("explicit", shown, False)]:
    start = [more["users"].astype(float), more["items"].astype(float)]
    for rows, side in [(matrix, start[0]), (matrix.T, start[1])]:
        side[~(rows > 0 if implicit else rows >= 0).any(1)] = 0
    for kind, steps in [("exact", None), ("steps", 3)]:
        found = alternate(matrix, *start, implicit, steps)
        more[f"{name}.{kind}.users"], more[f"{name}.{kind}.items"] = (side.astype(np.float32) for side in found)
        more[f"{name}.{kind}.loss"] = np.array([loss(matrix, *found, implicit)])
    # Users folded in to the items as they started, by what they like (not what they were shown).
    folded = []
    for u in range(USERS):
        values = like[u] if implicit else np.where(like[u] > 0, like[u], -1)
        folded.append(np.linalg.solve(*normal_equations(values, start[1], implicit)))
    more[f"{name}.folded"] = np.array(folded, np.float32)
    more[f"{name}.folded.items"] = start[1].astype(np.float32)
save_file(more, os.path.join(HERE, "als.safetensors"))
os.chmod(os.path.join(HERE, "als.safetensors"), 0o644)


def movielens(directory):
    """Lists of 40 films of MovieLens 100K: a rating is a click, from 4 stars on also a like."""
    rows = np.loadtxt(os.path.join(directory, "u.data"), dtype=np.int64)
    like = np.zeros((rows[:, 0].max() + 1, rows[:, 1].max() + 1))
    like[rows[:, 0], rows[:, 1]] = 1 + (rows[:, 2] >= 4)
    overlap = like.T @ like
    square = np.diag(overlap)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.nan_to_num(overlap / np.sqrt(np.outer(square, square))).astype(np.float32)
    np.fill_diagonal(cosine, 0)
    films = np.ascontiguousarray(np.flatnonzero(square)[::42])  # save_file writes the memory, strides or not
    found = np.array([best(cosine[i], 10) for i in films])
    save_file(
        {"items": films, "neighbours": found, "similarities": np.take_along_axis(cosine[films], found, 1)},
        os.path.join(HERE, "movielens.safetensors"),
    )
    os.chmod(os.path.join(HERE, "movielens.safetensors"), 0o644)


if len(sys.argv) > 1:
    movielens(sys.argv[1])
