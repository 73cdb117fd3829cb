"""The limit that is nearest, among nested groups of either version, in a container and outside."""

from __future__ import annotations

import pytest

from outlive.capture import cgroup

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNT = "36 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what is in the files that are there."""
    there: dict[str, str] = {"/proc/self/mountinfo": V2_MOUNT}
    monkeypatch.setattr(cgroup, "_text", lambda file: there.get(file, ""))
    return there


def group(files: dict[str, str], folder: str, limit: object, usage: int, kills: int = 0) -> None:
    files[f"/sys/fs/cgroup{folder}/memory.max"] = f"{limit}\n"
    files[f"/sys/fs/cgroup{folder}/memory.current"] = f"{usage}\n"
    files[f"/sys/fs/cgroup{folder}/memory.events"] = f"low 0\nhigh 0\nmax 3\noom 1\noom_kill {kills}\n"


def test_the_nearest_limit_counts_and_not_the_smallest(files: dict[str, str]) -> None:
    files["/proc/77/cgroup"] = "0::/pods/web/worker\n"
    group(files, "/pods/web/worker", 1000, 100, kills=2)
    group(files, "/pods/web", 5000, 4900)
    group(files, "/pods", "max", 90000)
    found = cgroup.of_process(77)
    assert (found.limit, found.usage) == (5000, 4900)
    assert found.path == "/sys/fs/cgroup/pods/web/worker"
    assert found.oom_kills == 2


def test_without_a_limit(files: dict[str, str]) -> None:
    files["/proc/77/cgroup"] = "0::/pods\n"
    group(files, "/pods", "max", 90000)
    found = cgroup.of_process(77)
    assert (found.limit, found.usage, found.path) == (None, None, "/sys/fs/cgroup/pods")


def test_in_a_container_the_group_is_the_root(files: dict[str, str]) -> None:
    files["/proc/77/cgroup"] = "0::/\n"
    group(files, "", 1000, 600)
    assert cgroup.of_process(77).limit == 1000


def test_another_container_s_groups_can_t_be_seen(files: dict[str, str]) -> None:
    files["/proc/77/cgroup"] = "0::/../other\n"
    group(files, "", 1000, 600)
    assert cgroup.of_process(77).limit is None


def test_a_container_of_version_1_mounts_its_own_group(files: dict[str, str]) -> None:
    files["/proc/self/mountinfo"] = V1_MOUNT.replace(" / ", " /docker/abc ")
    files["/proc/77/cgroup"] = "9:name=systemd:/docker/abc\n4:cpu,memory:/docker/abc/inner\n0::/\n"
    folder = "/sys/fs/cgroup/memory/inner"
    files[f"{folder}/memory.limit_in_bytes"] = "9223372036854771712\n"
    files[f"{folder}/memory.usage_in_bytes"] = "5\n"
    files[f"{folder}/memory.oom_control"] = "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "2000\n"
    files["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "1500\n"
    found = cgroup.of_process(77)
    assert (found.limit, found.usage, found.oom_kills, found.path) == (2000, 1500, 7, folder)


def test_both_versions_at_once(files: dict[str, str]) -> None:
    unified = V2_MOUNT.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ")
    files["/proc/self/mountinfo"] = V1_MOUNT + unified
    files["/proc/77/cgroup"] = "4:memory:/a\n0::/b\n"
    files["/sys/fs/cgroup/memory/a/memory.limit_in_bytes"] = "2000\n"
    files["/sys/fs/cgroup/memory/a/memory.usage_in_bytes"] = "1500\n"
    assert cgroup.of_process(77).limit == 2000


def test_a_process_that_is_gone(files: dict[str, str]) -> None:  # noqa: ARG001 - there are none
    found = cgroup.of_process(77)
    assert (found.path, found.limit, found.usage, found.oom_kills) == (None, None, None, None)


def test_this_process_s_own() -> None:
    found = cgroup.of_this_process()
    assert (found.limit is None) == (found.usage is None)


def test_how_far_the_limit_is_leaves_out_what_the_kernel_can_drop(files: dict[str, str]) -> None:
    files["/proc/77/cgroup"] = "0::/pods/web\n"
    group(files, "/pods/web", 1000, 900)
    found = cgroup.of_process(77)
    assert found.left() == 100
    files["/sys/fs/cgroup/pods/web/memory.stat"] = "anon 500\ninactive_file 300\nactive_file 100\n"
    assert found.left() == 400
    group(files, "/pods/web", 1000, 1500)  # a limit that was lowered
    assert found.left() == 0
    group(files, "/pods/web", "max", 1500)
    assert found.left() is None


def test_version_1_adds_up_what_can_be_dropped_below(files: dict[str, str]) -> None:
    files["/proc/self/mountinfo"] = V1_MOUNT
    files["/proc/77/cgroup"] = "4:memory:/a\n"
    files["/sys/fs/cgroup/memory/a/memory.limit_in_bytes"] = "2000\n"
    files["/sys/fs/cgroup/memory/a/memory.usage_in_bytes"] = "1500\n"
    stat = "inactive_file 7\ntotal_inactive_anon 5\ntotal_inactive_file 300\n"
    files["/sys/fs/cgroup/memory/a/memory.stat"] = stat
    assert cgroup.of_process(77).left() == 800


def test_a_group_that_an_oom_kill_ends_as_a_whole(files: dict[str, str]) -> None:
    files["/proc/77/cgroup"] = "0::/pods\n"
    group(files, "/pods", 1000, 900)
    assert not cgroup.of_process(77).dies_whole()
    files["/sys/fs/cgroup/pods/memory.oom.group"] = "1\n"
    assert cgroup.of_process(77).dies_whole()
    assert not cgroup.Group().dies_whole()
    assert cgroup.Group().left() is None
