"""Classes whose every hook ends the process: none is called.

3 held by module: __main__ → KEPT → list[3]
"""

import os
import sys
from typing import NoReturn

import outlive

HOOKS = """
    __eq__ __ne__ __lt__ __hash__ __repr__ __str__ __bytes__ __format__ __bool__ __len__ __iter__ __next__
    __contains__ __getitem__ __sizeof__ __dir__ __getattr__ __getattribute__ __setattr__ __delattr__
    __reduce__ __reduce_ex__ __getstate__ __index__ __int__ __float__ __call__ __await__ __buffer__
    __instancecheck__ __subclasscheck__
"""


def end(*_: object) -> NoReturn:
    os._exit(66)


hooks = dict.fromkeys(HOOKS.split(), end)
lies = dict.fromkeys(["__class__", "__dict__", "__doc__", "__module__", "__mro__", "__name__"], property(end))
Hostile = type("Hostile", (type,), {**hooks, **lies})
Leaked = type.__call__(Hostile, "Leaked", (), {**hooks, "__class__": property(end), "__slots__": ("row",)})
KEPT = [object.__new__(Leaked) for _ in range(3)]

outlive.snapshot(sys.argv[1])
