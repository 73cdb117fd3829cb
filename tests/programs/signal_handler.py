"""A closure that handles a signal.

3 held by interpreter or native reference: on_signal → rows → list[3]
"""

import signal
import sys

import outlive


class Leaked:
    pass


def register() -> None:
    rows = [Leaked() for _ in range(3)]

    def on_signal(_number: int, _frame: object) -> None:
        rows.clear()

    signal.signal(signal.SIGUSR1, on_signal)


register()

outlive.snapshot(sys.argv[1])
