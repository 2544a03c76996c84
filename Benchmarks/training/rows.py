"""Rows for the benchmark: showings of a world with hidden tastes, as safetensors. Field rows U32 [n]; keywords and histories as
offsets and rows; statistics F32 [n, 12]; labels F32 [n, 4]: clicked, liked, seconds, played fraction."""

import numpy
from safetensors.numpy import save_file

SIZES = dict(user=20_000, item=50_000, category=60, author=8_000, keyword=3_000, hour=24)
STATISTICS, HISTORY, KEYWORDS, TASTES = 12, 50, 6, 8


def make(path: str, rows: int) -> None:
    random = numpy.random.default_rng(11)
    items, users = SIZES["item"], SIZES["user"]
    category_taste = random.normal(0, 1, (SIZES["category"], TASTES))
    item_category = random.integers(1, SIZES["category"], items)
    item_author = random.integers(1, SIZES["author"], items)
    item_taste = category_taste[item_category] + 0.5 * random.normal(0, 1, (items, TASTES))
    user_taste = random.normal(0, 1, (users, TASTES))
    quality = 0.7 * random.normal(0, 1, items)
    popularity = random.permutation(1 / numpy.arange(1, items + 1) ** 0.8)
    cumulative = numpy.cumsum(popularity) / popularity.sum()

    def draw(*shape):
        return numpy.minimum(numpy.searchsorted(cumulative, random.random(shape)), items - 1)

    user = random.integers(1, users, rows)
    item = draw(rows)
    # Of three items that a user could have liked, the one nearest to his taste is in his history.
    lengths = random.integers(0, HISTORY + 1, users)
    offers = draw(users, HISTORY, 3)
    fits = numpy.einsum("uhct,ut->uhc", item_taste[offers], user_taste)
    history = numpy.take_along_axis(offers, fits.argmax(2)[:, :, None], 2)[:, :, 0]
    logit = 0.45 * numpy.einsum("nt,nt->n", item_taste[item], user_taste[user]) + quality[item] - 1
    click = random.random(rows) < 1 / (1 + numpy.exp(-logit))
    like = click & (random.random(rows) < 1 / (1 + numpy.exp(1.5 - 0.5 * logit)))
    fraction = numpy.where(click, numpy.clip(random.beta(2, 1.2, rows) + 0.08 * logit, 0, 1), 0)
    seconds = fraction * random.lognormal(3.5, 0.6, rows)
    statistics = random.normal(0, 1, (rows, STATISTICS))
    statistics[:, 0] = quality[item] + 0.5 * random.normal(0, 1, rows)
    item_keywords = random.integers(1, SIZES["keyword"], (items, KEYWORDS))
    keyword_counts = random.integers(0, KEYWORDS + 1, items)[item]
    own = lengths[user]
    taken = numpy.arange(HISTORY)[None] < own[:, None]
    recent = history[user][taken]
    words = item_keywords[item][numpy.arange(KEYWORDS)[None] < keyword_counts[:, None]]

    def offsets(counts):
        return numpy.concatenate([[0], numpy.cumsum(counts)]).astype(numpy.uint64)

    def u32(values):
        return values.astype(numpy.uint32)

    save_file(
        {
            "user": u32(user), "hour": u32(random.integers(0, 24, rows)), "item": u32(item),
            "category": u32(item_category[item]), "author": u32(item_author[item]),
            "keywords": u32(words), "keywords.offsets": offsets(keyword_counts),
            "statistics": statistics.astype(numpy.float32),
            "recent.item": u32(recent), "recent.category": u32(item_category[recent]), "recent.offsets": offsets(own),
            "labels": numpy.stack([click, like, seconds, fraction], 1).astype(numpy.float32),
        },
        path,
    )
