"""What runs in the process attached to: its text is sent there and executed; nothing of outlive is needed.

It runs in a thread of its own, never between two instructions of the program's: locks that the program holds,
of imports above all, are waited for as anywhere else. Names of the program's are not touched.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing may not be there
if TYPE_CHECKING:
    from types import ModuleType

_SEEN_SECONDS = 10.0  # then nobody is there to read the answer
_POLL_SECONDS = 0.01
# outlive's name for what attach put there: "loaded", or "started" where the program had imported outlive.
_MARK = "_attached"


def run(order: dict[str, object]) -> None:
    """Carry out an order, and leave the answer where the one who attached finds it. Raises nothing.

    Args:
        order: "pid", as this process sees itself; "token", the answer's name; "do", "start" or "stop"; and
            the parameters of these.

    """
    import _signal  # type: ignore[import-not-found] # signal without enum
    import os

    if os.getpid() != order["pid"]:  # a child, forked since with what was queued
        return
    # One that a thread of the program's waits for must not end up here.
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    handle = -1
    try:
        # Empty, it says that this has begun. It is found through /proc/PID/fd, whatever folders there are.
        handle = os.memfd_create(str(order["token"]))
        try:
            answer = _start(order) if order["do"] == "start" else _stop()
        except BaseException as error:  # noqa: BLE001 - it must not end up in the program
            answer = {"state": "failed", "why": f"{error}" or type(error).__name__}
        _tell(handle, answer)
    except BaseException:  # noqa: BLE001 - nor this: no descriptor free, no memory
        return
    finally:
        if handle >= 0:
            os.close(handle)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _start(order: dict[str, object]) -> dict[str, object]:
    import sys
    from importlib import import_module

    outlive = sys.modules.get("outlive")
    loaded = outlive is None
    if outlive is None:
        outlive = _load(list(order["packages"]))  # type: ignore[call-overload] # a list of str
    try:
        sampling = import_module("outlive.capture.sampling")
        if sampling.is_running():
            return {"state": "already", "recording": sampling.recording_path()}
        outlive.start(interval=order["interval"], native=order["native"])
        recording = sampling.recording_path()
        if not recording:
            outlive.stop()
            raise RuntimeError("it has no place for a recording; its stderr says why")  # noqa: TRY301 - see below
    except BaseException:
        if loaded:
            _unload()
        raise
    setattr(outlive, _MARK, "loaded" if loaded else "started")
    return {"state": "started", "recording": recording}


def _load(packages: list[str]) -> ModuleType:
    """Import outlive from these folders, the last of which has its sources, with sys.path left as it is."""
    import sys
    from importlib.machinery import ModuleSpec, SourceFileLoader
    from importlib.util import module_from_spec

    loader = SourceFileLoader("outlive", f"{packages[-1]}/__init__.py")
    spec = ModuleSpec("outlive", loader, origin=loader.path, is_package=True)
    spec.has_location = True
    spec.submodule_search_locations = packages
    module = module_from_spec(spec)
    sys.modules["outlive"] = module
    try:
        loader.exec_module(module)
    except BaseException:
        _unload()
        raise
    return module


def _stop() -> dict[str, object]:
    import atexit
    import sys

    outlive = sys.modules.get("outlive")
    mark = getattr(outlive, _MARK, "")
    if outlive is None or not mark:
        return {"state": "not ours" if outlive is not None and _samples() else "absent"}
    sampling = sys.modules["outlive.capture.sampling"]
    recording, folders = sampling.recording_path(), list(outlive.__path__)
    outlive.stop()
    delattr(outlive, _MARK)
    if mark == "loaded":
        atexit.unregister(sampling.conclude)
        del sampling, outlive
        _unload()
        for folder in [place for place in sys.path_importer_cache if place.startswith(tuple(folders))]:
            del sys.path_importer_cache[folder]
    return {"state": "stopped", "recording": recording, "folders": folders}


def _samples() -> bool:
    import sys

    sampling = sys.modules.get("outlive.capture.sampling")
    return sampling is not None and bool(sampling.is_running())


def _unload() -> None:
    import sys

    for name in [name for name in sys.modules if name == "outlive" or name.startswith("outlive.")]:
        del sys.modules[name]


def _tell(handle: int, answer: dict[str, object]) -> None:
    """Write the answer, and keep it until the file is emptied, which means: seen."""
    import json
    import os
    import time

    os.write(handle, json.dumps(answer).encode() + b"\n")
    deadline = time.monotonic() + _SEEN_SECONDS
    while os.fstat(handle).st_size and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
