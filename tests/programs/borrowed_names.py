"""Classes of Python with the names of types of C, which lie otherwise in memory.

3 held by module: __main__ → KEPT → .rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


NAMES = """
    hamt hamt_bitmap_node hamt_array_node functools._lru_list_elem functools._lru_cache_wrapper
    _thread._localdummy _asyncio.Task _asyncio.Future numpy.ndarray collections.deque
    collections.OrderedDict Context frame generator
"""
KEPT = [type(name, (), {})() for name in NAMES.split()]
KEPT.append(type("_asyncio.Task", (list,), {})())
rows = [Leaked() for _ in range(3)]
for each in KEPT:
    each.rows = rows
del each, rows

outlive.snapshot(sys.argv[1])
