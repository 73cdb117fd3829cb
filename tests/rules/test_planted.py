"""Rules on the holder paths of tests/programs: each program's own rule is found, and no wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import outlive
from outlive.model.recording import Frame
from outlive.rules import Evidence, match
from tests.guards.checkout import ROOT
from tests.heap.test_planted import PROGRAMS, skip_without_needs

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 300
RUNS = 3
# "" where nothing is to be claimed: one task, generator or chain that holds it all is no pattern.
EXPECTED = {
    "L02": "session_kept sqlite_row_factory",
    "L04": "attribute attribute_in_dict borrowed_names cache_without_eviction cached_property "
    "classes_per_call closure dataclass_slots default_dict descriptor enum_member frame_kept "
    "function_attribute hostile key_of_dict module_list nested_containers number_as_key ordered_dict "
    "other_module running_frame running_frame_cell self_references set_member slots thread_local_variable",
    "L05": "lru_cache_on_method_unbounded lru_cache_unbounded",
    "L07": "exception_context exception_kept traceback_kept",
    "L08": "done_tasks failed_task futures_kept",
    "L09": "background_tasks event_waiters",
    "L11": "deque unbounded_asyncio_queue unbounded_queue unbounded_simple_queue",
    "L13": "log_handler logger_by_request",
    "L14": "metric_labels",
    "L15": "bound_method future_callback open_context partial weakref_callback",
    "L16": "context_kept context_variable thread_local",
    "L17": "weak_key_dictionary",
    "L18": "at_fork atexit_argument atexit_closure codec_search finalize_closure signal_handler "
    "sqlite_function",
    "L19": "class_level_list class_registry default_argument default_keyword",
    "L21": "native_reference native_references",
    "L22": "last_result last_value",
    "L23": "memory_view",
    "B01": "lru_cache_on_method lru_cache_result",
    "": "asyncgen_of_loop attribute_of_list context_variable_of_task cycle_garbage delegating_generator "
    "endless_task endless_task_of_python immortal linked_list nested_coroutines suspended_async_generator "
    "suspended_coroutine suspended_generator timer",
}
RULES = {name: rule for rule, names in EXPECTED.items() for name in names.split()}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_each_program_shows_its_pattern_and_no_other(program: Path, tmp_path: Path) -> None:
    skip_without_needs(program)
    heap = tmp_path / "planted.heap"
    subprocess.run(
        [sys.executable, program, heap],
        check=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        cwd=ROOT,
    )
    holders = tuple(outlive.open(heap).why("__main__.Leaked", limit=5))
    frames = (Frame("work", str(program), 1),)
    found = match(Evidence("planted", RUNS, frames, ("__main__.Leaked",), holders, ("as it was",)))
    assert (found.rule.number if found else "") == RULES[program.stem], "\n".join(one.text for one in holders)
