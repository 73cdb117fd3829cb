"""What it costs to ask what is on the heap and who holds it, beside peers.

python bench/heap.py                            all parts: speed, pause, memory; takes long, for the peers
python bench/heap.py speed --objects 1000000    one part, of a smaller heap
python bench/heap.py --alone --rounds 9         outlive without its peers, with narrower intervals
python bench/heap.py --quick                    every part once, small, to see that it works; shows nothing

It measures the Python it is run with; for another one, `PYTHON=python3.13 script/bench heap`.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from programs.heap_tools import OUTLIVE, QUESTIONS
from side_by_side.children import PROGRAMS, Figures, run
from side_by_side.reach import Reach, Table, exactly, finish
from side_by_side.rounds import in_turn, spread

# At 10 M objects, and 700 MB.
SECONDS_MAX = {"census": 2.5, "retained": 5.0, "why again": 0.3}
GRAPH_BYTES_MAX, READER_BYTES_MAX = 40.0, 90.0
PAUSE_MS_MAX, DIRTIED_MB_MAX = 50.0, 5.0

ASKED, PAUSE, CHILD = (PROGRAMS / f"heap_{name}.py" for name in ("asked", "pause", "child"))
OBJECTS = (1_000_000, 10_000_000)
QUICK_OBJECTS = (100_000, 200_000)
MEGABYTES, QUICK_MEGABYTES = 700, 100
NOTHING = "nothing"
AGAIN = f"why again {OUTLIVE}"
WORDS = {
    "census": "census",
    "retained": "graph, dominators, all retained sizes",
    "why": "why of one object",
    "why again": "the same, once indexed",
}
PEERS_WORDS = {"retained": "retained size of one object"}
MB = 1_000_000

Result = tuple[list[Table], list[Reach]]


class Tools:
    """Runs what tools answer; who takes longer than it may is not asked again."""

    def __init__(self, seconds: int, *, alone: bool) -> None:
        """Take how long an answer may take, and whether peers are left out."""
        self.seconds, self.alone = seconds, alone
        self._over = set[tuple[str, ...]]()

    def questions(self) -> list[tuple[str, str]]:
        """Return each question with each tool that has an answer, ours first."""
        asked = [(question, tool) for question, tools in QUESTIONS.items() for tool in tools]
        return [pair for pair in asked if not self.alone or pair[1] == OUTLIVE]

    def run(self, *arguments: str) -> Figures:
        """Run a program of ours, whose last argument is how long it may take."""
        if arguments in self._over:
            return {"over": True}
        figures = run(*arguments, str(self.seconds))
        if figures.get("over"):
            self._over.add(arguments)
        return figures


def speed(tools: Tools, rounds: int, sizes: Sequence[int]) -> Result:
    """Compare the time from the question to the printed answer."""
    tables, reaches = [], []
    for objects in sizes:
        columns = ("", "", "seconds", "95 %", "grew by, MB", "__dict__s made")
        table = Table(f"{objects:,} objects", columns)
        asked = [*tools.questions(), ("why again", OUTLIVE)]
        children: dict[str, Callable[[], Figures]] = {
            f"{question} {tool}": partial(tools.run, str(ASKED), question, tool, str(objects))
            for question, tool in asked
        }
        figures = in_turn(children, rounds, f"{objects:,} objects")
        for question, tool in asked:
            table.rows.append((_words(question, tool), tool, *_cells(tools, figures[f"{question} {tool}"])))
        tables.append(table)
        reaches = _speed_reaches(figures)
    return tables, reaches


def _words(question: str, tool: str) -> str:
    return WORDS[question] if tool == OUTLIVE else PEERS_WORDS.get(question, WORDS[question])


def _cells(tools: Tools, figures: Sequence[Figures]) -> tuple[str, ...]:
    if any(each.get("over") for each in figures):
        return (f"{tools.seconds}, not done", "-", "-", "-")
    seconds = spread([each["seconds"] for each in figures])
    grew = f"{spread([each['extra'] / MB for each in figures]).median:.0f}" if "extra" in figures[0] else "-"
    dicts = f"{max(each['dicts'] for each in figures):,}" if "dicts" in figures[0] else "-"
    return f"{seconds.median:.3f}", seconds.interval(3), grew, dicts


def _speed_reaches(figures: Mapping[str, Sequence[Figures]]) -> list[Reach]:
    """Return those of the last, the largest heap."""
    reaches = [
        Reach(
            WORDS[question],
            spread([each["seconds"] for each in figures[f"{question} {OUTLIVE}"]]),
            most,
            " s",
        )
        for question, most in SECONDS_MAX.items()
    ]
    made = max(
        each.get("dicts", 0)
        for question in figures
        if question.endswith(OUTLIVE)
        for each in figures[question]
    )
    return [*reaches, Reach("__dict__s made in the process", exactly(made), 0)]


def pause(tools: Tools, rounds: int, megabytes: int) -> Result:
    """Compare how long a service stands still at most while it is looked at."""
    columns = ("", "", "longest pause, ms", "95 %", "as told, ms", "95 %")
    table = Table(f"A request a millisecond, at {megabytes} MB RSS", columns)
    asked = [(_words(question, tool), tool, f"{question} {tool}") for question, tool in tools.questions()]
    rows = [
        ("", NOTHING, NOTHING),
        ("snapshot", OUTLIVE, f"census {OUTLIVE}"),
        *(each for each in asked if each[1] != OUTLIVE),
    ]
    children: dict[str, Callable[[], Figures]] = {
        what: partial(tools.run, str(PAUSE), what, str(megabytes)) for _, _, what in rows
    }
    figures = in_turn(children, rounds, "pause")
    longest, told = {}, {}
    for words, tool, what in rows:
        longest[tool] = spread([each.get("longest", 0.0) * 1e3 for each in figures[what]])
        cells = [f"{longest[tool].median:.1f}", longest[tool].interval(1)]
        if any(each.get("over") for each in figures[what]):
            cells = [f"{cells[0]} in {tools.seconds} s", "-"]
        if tool == OUTLIVE:
            told[tool] = spread([each["reported"][0] * 1e3 for each in figures[what]])
            cells += [f"{told[tool].median:.1f}", told[tool].interval(1)]
        table.rows.append((words, tool, *cells, *["-"] * (len(columns) - 2 - len(cells))))
    return [table], [
        Reach("longest pause", longest[OUTLIVE], PAUSE_MS_MAX, " ms"),
        Reach("pause as told", told[OUTLIVE], PAUSE_MS_MAX, " ms"),
    ]


def memory(rounds: int, sizes: Sequence[int]) -> Result:
    """Measure what the child takes that walks the heap, and the reader of its file."""
    columns = (
        "",
        "references",
        "process, MB",
        "child, B each",
        "reader, B each",
        "file, B each",
        "dirtied, MB",
    )
    table = Table(
        "Memory beside that of the process, by object; and what the child wrote to of the heap's", columns
    )
    child = reader = dirtied = exactly(0.0)
    for objects in sizes:
        figures = in_turn({OUTLIVE: partial(run, CHILD, str(objects))}, rounds, "memory")[OUTLIVE]
        child, reader, file = (
            spread([each[name] / each["objects"] for each in figures])
            for name in ("tables", "reader", "file")
        )
        dirtied = spread([each["dirtied"] / MB for each in figures])
        table.rows.append(
            (
                f"{figures[0]['objects']:,} objects",
                f"{figures[0]['references']:,}",
                f"{figures[0]['rss'] / MB:.0f}",
                *(f"{each.median:.1f}" for each in (child, reader, file)),
                f"{dirtied.median:.2f}",
            )
        )
    return [table], [
        Reach("the child's own memory, an object", child, GRAPH_BYTES_MAX, " B"),
        Reach("the reader's, with dominators, an object", reader, READER_BYTES_MAX, " B"),
        Reach("dirtied in the child beyond that", dirtied, DIRTIED_MB_MAX, " MB"),
    ]


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="speed, pause or memory; default: all three")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--objects", type=int, nargs="+", default=OBJECTS, help="default: 1 and 10 million")
    parser.add_argument("--seconds", type=int, default=120, help="an answer may take; default: %(default)s")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--quick", action="store_true", help="one round of everything, small")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if min(options.rounds, options.seconds, *options.objects) < 1:
        parser.error("at least one round, one second and one object are needed")
    tempfile.tempdir = "/dev/shm"  # noqa: S108 - snapshots are in memory, as those of outlive.census() are
    rounds, sizes = (1, QUICK_OBJECTS) if options.quick else (options.rounds, options.objects)
    tools = Tools(options.seconds, alone=options.alone)
    parts: dict[str, Callable[[], Result]] = {
        "speed": partial(speed, tools, rounds, sizes),
        "pause": partial(pause, tools, rounds, QUICK_MEGABYTES if options.quick else MEGABYTES),
        "memory": partial(memory, rounds, sizes),
    }
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {unknown.pop()!r}; there are: {', '.join(parts)}")
    results = [parts[name]() for name in options.parts or parts]
    tables = [table for result, _ in results for table in result]
    reaches = [reach for _, result in results for reach in result]
    return finish(tables, reaches, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
