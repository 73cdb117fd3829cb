"""A WeakKeyDictionary whose value leads to its key.

3 held by module: __main__ → META → .data → ['owner']
"""

import sys
from weakref import WeakKeyDictionary

import outlive


class Leaked:
    pass


META: WeakKeyDictionary[Leaked, dict[str, Leaked]] = WeakKeyDictionary()


def remember(key: Leaked) -> None:
    META[key] = {"owner": key}


remember(Leaked())
remember(Leaked())
remember(Leaked())

outlive.snapshot(sys.argv[1])
