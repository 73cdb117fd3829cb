"""`outlive attach`: starts outlive in a process that never imported it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from outlive.errors import UsageError
from outlive.model.size import parse_size

if TYPE_CHECKING:
    from outlive.attach.attaching import Attached

_EPILOG = """\b
Examples:
  outlive attach 4711                      then: outlive top 4711, outlive snapshot 4711
  outlive attach 4711 --interval '32 KiB'
  sudo outlive attach 4711                 where processes may not be traced by their user
  outlive attach --detach 4711             takes it out again
"""
_INTERVAL = "128 KiB"


@click.command(epilog=_EPILOG)
@click.argument("pid", type=click.IntRange(min=1))
@click.option(
    "--interval", metavar="SIZE", help=f"Sample one block in so many bytes allocated [default: {_INTERVAL}]."
)
@click.option("--native", is_flag=True, help="Sample too what extensions take from malloc.")
@click.option("--detach", is_flag=True, help="Stop what was started so, and take it out again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(pid: int, interval: str | None, *, native: bool, detach: bool, as_json: bool) -> None:
    """Start outlive in the running process PID, which need not know of it.

    gdb has to be installed. It stops the process for some ten milliseconds; how long is said. From then on it
    is as if the program had called outlive.start().
    """
    if detach and (native or interval):
        raise UsageError("--detach goes with --json only", hint="leave --interval and --native away")
    every = parse_size(interval or _INTERVAL)
    from outlive.attach import attaching
    from outlive.cli.output import show

    done = attaching.detach(pid) if detach else attaching.attach(pid, every, native=native)
    show(_json(done) if as_json else _text(done))


def _json(done: Attached) -> str:
    return (
        json.dumps(
            {
                "schema": 1,
                "pid": done.pid,
                "state": done.state,
                "recording": done.recording or None,
                "still_seconds": done.still_seconds,
            }
        )
        + "\n"
    )


def _text(done: Attached) -> str:
    who = f"process {done.pid}"
    still = f"It stood still for {done.still_seconds * 1000:.0f} ms.\n" if done.still_seconds else ""
    recording = f"It records to {done.recording}\n" if done.recording else ""
    further = f"Next: outlive top {done.pid}, outlive snapshot {done.pid}, outlive why TYPE {done.pid}\n"
    return {
        "started": f"outlive runs in {who} now. {still}{recording}{further}",
        "already": f"outlive runs in {who} already; nothing was done.\n{recording}",
        "stopped": f"outlive is out of {who} again. {still}Its recording stays: {done.recording}\n",
        "absent": f"outlive does not run in {who}; nothing was done.\n",
    }[done.state]
