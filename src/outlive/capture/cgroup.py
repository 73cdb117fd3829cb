"""The control group that limits a process's memory: version 2 or 1, seen from a container too."""

from __future__ import annotations

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterator

# A group's files: its limit and what is charged to it; where it counts its OOM kills.
_V2 = ("memory.max", "memory.current")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
_EVENTS = ("memory.events", "memory.oom_control")
# The word for files' pages that nobody has used for a while, its own and those of groups below.
_INACTIVE = {_V2: "inactive_file ", _V1: "total_inactive_file "}
_NO_LIMIT_V1 = 1 << 62  # what version 1 says for none is the largest number of pages


class Group:
    """A process's group. None: not known.

    `path` is its own folder, `oom_kills` that folder's count. `limit` and `usage` are those of the group
    nearest to its limit, of its own and those above it; None without a limit.
    """

    __slots__ = ("_nearest", "limit", "oom_kills", "path", "usage")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.path: str | None = None
        self.oom_kills: int | None = None
        self.limit: int | None = None
        self.usage: int | None = None
        self._nearest: tuple[str, tuple[str, str]] | None = None

    def nearest_is(self, folder: str, names: tuple[str, str], limit: int, usage: int) -> None:
        """Take these for the group nearest to its limit."""
        self._nearest, self.limit, self.usage = (folder, names), limit, usage

    def left(self) -> int | None:
        """Return how far that group is from its limit now; None without one.

        Pages of files that it could drop at once are not counted as taken: they fill each group in time.
        """
        if self._nearest is None:
            return None
        folder, names = self._nearest
        limit, usage = (_number(_text(f"{folder}/{name}")) for name in names[:2])
        if limit is None or usage is None or limit >= _NO_LIMIT_V1:
            return None
        for line in _text(f"{folder}/memory.stat").splitlines():
            if line.startswith(_INACTIVE[names]):
                usage -= int(line.rpartition(" ")[2])
        return max(0, limit - usage)

    def dies_whole(self) -> bool:
        """Whether an OOM kill in that group ends all its processes, whichever the kernel would choose."""
        return self._nearest is not None and _text(f"{self._nearest[0]}/memory.oom.group").strip() == "1"


def of_process(pid: int | str) -> Group:
    """Return the group of a process, as far as it can be seen from here."""
    group = Group()
    for folder, names in _folders(pid):
        limit, usage = (_number(_text(f"{folder}/{name}")) for name in names)
        if usage is None:  # the root of all has none, or the folder is not there
            continue
        if group.path is None:
            group.path, group.oom_kills = folder, oom_kills(folder)
        if limit is None or limit >= _NO_LIMIT_V1:
            continue
        if group.limit is None or group.usage is None or limit - usage < group.limit - group.usage:
            group.nearest_is(folder, names, limit, usage)
    return group


def of_this_process() -> Group:
    """Return this process's group."""
    return of_process("self")


def oom_kills(folder: str) -> int | None:
    """Return the OOM kills that a group counts, of version 2 or 1; None if it is gone, or does not count."""
    for name in _EVENTS:
        for line in _text(f"{folder}/{name}").splitlines():
            word, _, count = line.partition(" ")
            if word == "oom_kill":
                return _number(count)
    return None


def _folders(pid: int | str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the folders of a process's memory groups, inmost first, with the names of their files."""
    mounts = list(_mounts())
    for line in _text(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        for is_v1, root, mount_point in mounts:
            below = _below(path, root)
            if is_v1 != bool(controllers) or below is None:
                continue
            while True:
                yield mount_point + below, _V1 if is_v1 else _V2
                if not below:
                    break
                below = below.rpartition("/")[0]
            break


def _mounts() -> Iterator[tuple[bool, str, str]]:
    """Yield (whether version 1, which group is mounted, where) for each mount of memory groups."""
    for line in _text("/proc/self/mountinfo").splitlines():
        place, _, source = line.partition(" - ")
        kind, _, rest = source.partition(" ")
        root, mount_point = place.split(" ")[3:5]
        if kind == "cgroup2" or (kind == "cgroup" and "memory" in rest.rpartition(" ")[2].split(",")):
            yield kind == "cgroup", root, mount_point.replace("\\040", " ")


def _below(path: str, root: str) -> str | None:
    """Return where a group lies below the mounted one: "" for itself, None if it does not."""
    path, root = path.rstrip("/"), root.rstrip("/")
    if ".." in path.split("/") or not f"{path}/".startswith(f"{root}/"):
        return None
    return path[len(root) :]


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None  # "max"


def _text(file: str) -> str:
    """Return what is in a file, "" if it can't be read."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:  # noqa: PTH123 - light
            return stream.read()
    except (OSError, ValueError):  # no name of a file at all: a group's can come from a recording
        return ""
