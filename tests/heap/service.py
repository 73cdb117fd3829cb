"""A small service's heap, whose figures are known: a cache of exports, a thread, garbage, an immortal."""

from __future__ import annotations

from tests.heap.synthetic import IMMORTAL, Heap

KIB = 1 << 10
ROWS = 5
EXPORTS = 3
# What an export keeps: itself, its list of rows, the rows.
EXPORT_BYTES = 48 + (56 + 8 * ROWS) + ROWS * 64 * KIB


def service() -> Heap:
    """Return the heap."""
    heap = Heap()
    exports = {}
    for number in range(EXPORTS):
        rows = heap.sequence(heap.add("app.models.Row", size=64 * KIB) for _ in range(ROWS))
        exports[f"u{number}"] = heap.add("app.Export", named={"rows": rows})
    heap.module("app.models")
    heap.module("app.cache", CACHE=heap.mapping(exports))
    frame = heap.frame(heap.code("serve", "/srv/app.py", 10), 12, {"batch": heap.add("app.Batch", size=500)})
    heap.thread("Main", [frame])
    heap.add("app.Buffer", size=10 * KIB, native=1)
    one, other = heap.add("app.Node", size=100), heap.add("app.Node", size=200)
    heap.refer(one, "other", other)
    heap.refer(other, "other", one)
    heap.add("int", refcount=IMMORTAL, text="7")
    return heap
