"""Where objects were made: the lines that a sampler saw, joined to the objects of a snapshot.

Only a part of the objects is sampled. Figures of a line are estimates (recording/totals.py says how); that a
sampled object was made on its line is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.errors import OutliveError
from outlive.heap.core import native
from outlive.model.estimate import poisson_estimate
from outlive.model.heap import Total
from outlive.model.heap_layout import NONE
from outlive.model.place import short_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.index import Index

    Rows = NDArray[Any]


def census(index: Index) -> list[Total]:
    """Return estimates by line of what is alive, the most bytes first.

    `count` is of blocks: a list or dict with more than its head has two. `retained_bytes` adds up what the
    sampled objects keep alive, each for as many as it stands for; of those that keep others of the line, the
    uppermost ones count.

    Raises:
        OutliveError: no sampler ran.

    """
    columns = index.columns
    if not len(columns.samples):
        raise OutliveError(
            "it is not known where objects were made",
            "no sampler ran when the snapshot was taken",
            "call outlive.start() in the program, or run it with outlive run --sample",
        )
    sites, samples = len(columns.sites), columns.samples
    blocks = np.bincount(samples["site"], samples["blocks"], sites)
    size = np.bincount(samples["site"], samples["bytes"], sites)
    variance = np.bincount(samples["site"], samples["variance"], sites)
    retained = _retained(index)
    totals = [
        Total(
            text(columns, site),
            round(blocks[site]),
            round(size[site]),
            int(retained[site]),
            poisson_estimate(float(size[site]), float(variance[site])),
        )
        for site in range(sites)
        if blocks[site]
    ]
    return sorted(totals, key=lambda total: (-total.shallow_bytes, total.name))


def _retained(index: Index) -> Rows:
    """Return the estimates of what each line keeps alive."""
    samples, objects = index.columns.samples, len(index.columns)
    # An object is seen if either of its blocks is: 1 / blocks is the chance of each.
    missed = np.ones(objects)
    np.multiply.at(missed, samples["object"], 1 - 1 / np.maximum(samples["blocks"], 1))
    seen = np.unique(samples["object"])
    standing_for = np.zeros(objects, np.uint64)
    chance = np.maximum(1 - missed[seen], 1e-9)  # none is smaller, but in a file that somebody made up
    standing_for[seen] = np.minimum(np.rint(index.retained[seen] / chance), 1e18).astype(np.uint64)
    groups = np.full(objects, NONE, np.uint32)
    groups[samples["object"]] = samples["site"]
    sums = np.zeros(len(index.columns.sites), np.uint64)
    columns = index.idom.data, index.order.data, standing_for.data, groups.data
    native.graph_retained_by_group(*columns, sums.data)
    return sums


def text(columns: Columns, site: int) -> str:
    """Return a line as tables name it: "app/cache.py:5 remember"."""
    row = columns.sites[site]
    file, function = columns.text(row["file"]), columns.text(row["function"])
    return f"{short_path(file)}:{row['line']} {function}" if file else "(no Python line known)"


def made(columns: Columns, rows: Rows) -> str:
    """Return the line that made most of these objects, of those that were sampled; "" if none was."""
    of_object = columns.samples["object"]
    if not len(of_object):
        return ""
    sites = columns.samples["site"][np.isin(of_object, rows)]
    return text(columns, int(np.bincount(sites).argmax())) if len(sites) else ""
