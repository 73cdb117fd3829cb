"""The demo asks before it takes, and proposes what fits."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from outlive.demo import machine
from outlive.demo.leaks import ROWS
from outlive.demo.machine import available_memory_bytes, check_machine, lies_in_memory
from outlive.errors import OutliveError

MIB = 1 << 20
GIB = 1 << 30
PLENTY = 1 << 50


@pytest.fixture
def machine_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def make(disk: int = PLENTY, memory: int = PLENTY, *, in_memory: bool = False) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _directory: SimpleNamespace(free=disk))
        monkeypatch.setattr(machine, "available_memory_bytes", lambda: memory)
        monkeypatch.setattr(machine, "lies_in_memory", lambda _directory, _mounts: in_memory)

    return make


@pytest.mark.parametrize(("what", "given"), [("memory", {"memory": GIB}), ("disk space", {"disk": GIB})])
def test_what_is_not_enough_is_named_with_a_number_of_rows_that_fits(
    machine_with: Callable[..., None], tmp_path: Path, what: str, given: dict[str, int]
) -> None:
    machine_with(**given)
    with pytest.raises(
        OutliveError, match=rf"100,000 rows need .* MiB of {what}: there are 1024\.0 MiB"
    ) as caught:
        check_machine(100_000, tmp_path)
    proposed = re.search(r"type: outlive demo --rows (\d+)$", str(caught.value))
    assert proposed
    assert 10_000 <= int(proposed[1]) < 100_000
    check_machine(int(proposed[1]), tmp_path)


def test_where_only_the_leaks_do_not_fit_a_number_without_them_is_named(
    machine_with: Callable[..., None], tmp_path: Path
) -> None:
    machine_with(memory=machine.LEAKS_MEMORY_BYTES - 1)
    with pytest.raises(OutliveError, match=rf"type: outlive demo --rows {ROWS - 1}$"):
        check_machine(ROWS, tmp_path)
    check_machine(ROWS - 1, tmp_path)
    machine_with(memory=machine.LEAKS_MEMORY_BYTES)
    check_machine(ROWS, tmp_path)


def test_nothing_fits(machine_with: Callable[..., None], tmp_path: Path) -> None:
    machine_with(memory=MIB)
    with pytest.raises(OutliveError, match="free some memory first"):
        check_machine(1, tmp_path)


def test_files_in_memory_count_as_memory(machine_with: Callable[..., None], tmp_path: Path) -> None:
    enough_for_the_job = 100_000 * machine.MEMORY_BYTES_PER_ROW + 200 * MIB
    machine_with(memory=enough_for_the_job)
    check_machine(100_000, tmp_path)
    machine_with(memory=enough_for_the_job, in_memory=True)
    with pytest.raises(OutliveError, match="of memory"):
        check_machine(100_000, tmp_path)


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("/dev/sda / ext4 rw 0 0", False),
        ("/dev/sda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0", True),
        ("tmpfs / tmpfs rw 0 0\n/dev/sda /tmp ext4 rw 0 0", False),
        ("/dev/sda / ext4 rw 0 0\ntmpfs /tmpfiles tmpfs rw 0 0", False),
        ("/dev/sda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sdb /tmp ext4 rw 0 0", False),
        ("", False),
    ],
)
def test_the_nearest_mount_decides(mounts: str, expected: bool) -> None:  # noqa: FBT001
    assert lies_in_memory(Path("/tmp/anything/deeper"), mounts) is expected  # noqa: S108


@pytest.fixture
def system(tmp_path: Path) -> tuple[Path, Path]:
    """A /proc with 8 GiB available, and a /sys/fs/cgroup in which this process sits two groups deep."""
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable: {8 * MIB} kB\n")
    (proc / "self/cgroup").write_text("1:name=systemd:/other\n0::/outer/inner\n")
    (cgroups / "outer/inner").mkdir(parents=True)
    return proc, cgroups


def limit(group: Path, limit: str, used: int, inactive_file: int = 0) -> None:
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 1\ninactive_file {inactive_file}\n")


def test_without_a_limit_all_is_available(system: tuple[Path, Path]) -> None:
    assert available_memory_bytes(*system) == 8 * GIB
    limit(system[1] / "outer", "max", GIB)
    assert available_memory_bytes(*system) == 8 * GIB


def test_the_tightest_group_above_limits(system: tuple[Path, Path]) -> None:
    limit(system[1] / "outer", str(3 * GIB), GIB)
    limit(system[1] / "outer/inner", str(5 * GIB), GIB)
    assert available_memory_bytes(*system) == 2 * GIB


def test_page_cache_gives_way(system: tuple[Path, Path]) -> None:
    limit(system[1] / "outer/inner", str(3 * GIB), 2 * GIB, inactive_file=GIB)
    assert available_memory_bytes(*system) == 2 * GIB


def test_a_container_sees_its_own_group_as_the_root(system: tuple[Path, Path]) -> None:
    (system[0] / "self/cgroup").write_text("0::/\n")
    limit(system[1], str(GIB), 0)
    assert available_memory_bytes(*system) == GIB


def test_this_machine() -> None:
    assert available_memory_bytes() > 0
