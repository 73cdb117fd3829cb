"""The table of live samples."""

from __future__ import annotations

from outlive.model import layout
from outlive.model.recording import Sample

LEVEL_MAX = 48  # the interval doubled so often: no process has as many bytes
_ADDRESS = _SIZE = (1 << 48) - 1
_THREAD = (1 << layout.THREAD_BITS) - 1
_PLAUSIBLE_MAX = float(1 << 63)


def samples(slots: bytes, interval: int, stack_count: int) -> tuple[tuple[Sample, ...], int]:
    """Return the live samples and the number of slots that are torn."""
    found: dict[int, Sample] = {}
    torn = 0
    for marked, size_word, stack, born, thread, run in layout.SLOT.iter_unpack(slots):
        if marked == 0:
            continue
        address, level = marked & _ADDRESS, size_word >> 48 & 0xFF
        check = layout.slot_check(address, size_word, stack, born, thread, run)
        if check != marked >> 48 or stack >= stack_count or level > LEVEL_MAX:
            torn += 1
            continue
        from_malloc = size_word >> 56 == layout.FROM_MALLOC
        size, scope = size_word & _SIZE, thread >> layout.THREAD_BITS
        sample = Sample(
            address, size, interval << level, stack, born / 10, thread & _THREAD, run, from_malloc, scope
        )
        # A slot that was moved during the copy is seen twice; of two blocks the younger is the live one.
        had = found.get(address)
        if had is None or had.born <= sample.born:
            found[address] = sample
    return tuple(found.values()), torn


def whole(figure: float) -> float | None:
    """Return an accumulated figure; None if no process can have come to it."""
    return figure if 0 <= figure < _PLAUSIBLE_MAX else None
