"""A program of its own: posts to a webhook, or runs a command, for a process that can't wait for that.

It needs nothing of outlive's. stdin has the order, stdout takes one line: "done", or what failed.
"""

from __future__ import annotations

import os

_CONNECT_SECONDS = 5
_ALL_SECONDS = 15
_COMMAND_SECONDS = 60
_ORDER_MAX = 1 << 16
_RECEIVED = range(200, 300)


def main() -> None:
    """Leave the parent, carry the order out, and say how it went."""
    os.closerange(3, min(_ORDER_MAX, os.sysconf("SC_OPEN_MAX")))
    if os.fork():
        os._exit(0)
    os.setsid()
    kind, payload, *argument = os.fsdecode(os.read(0, _ORDER_MAX)).split("\0")
    try:
        answer = _post(argument[0], payload) if kind == "webhook" else _run(argument, payload)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        answer = str(error) or type(error).__name__
    os.write(1, (" ".join((answer or "done").split())[:300] + "\n").encode(errors="replace"))


def _post(address: str, payload: str) -> str:
    import signal
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return "it is no http or https address"

    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError("timed out")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_ALL_SECONDS)  # of a receiver that sends a byte now and then, too
    maker = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = maker(parts.hostname, parts.port, timeout=_CONNECT_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/json", "User-Agent": "outlive"}
    connection.request("POST", path, payload.encode(), headers)
    status = connection.getresponse().status
    signal.alarm(0)
    return "" if status in _RECEIVED else f"the receiver answered {status}"


def _run(words: list[str], payload: str) -> str:
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - the operator's own words, and no shell
            words,
            input=payload.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {_COMMAND_SECONDS} s"
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    return "" if done.returncode == 0 else f"{words[0]}: exit status {done.returncode}"


if __name__ == "__main__":
    main()
