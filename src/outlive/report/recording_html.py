"""A recording as one page that needs no network: timeline, flame graph and sites, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.size import mib
from outlive.recording.death import death
from outlive.recording.totals import grouped, sums
from outlive.report import program_text
from outlive.report.call_tree import call_tree, merged
from outlive.report.page import page
from outlive.report.recording_table import last_and_most_rss, spread
from outlive.report.stack_text import SourceLines, innermost, named, origin, outwards, place

if TYPE_CHECKING:
    from outlive.model.recording import Frame, Point, Recording, SiteTotal, Stack
    from outlive.recording.totals import Sum
    from outlive.report.call_tree import Node

_SITES_MAX = 300
_POINTS_MAX = 1500
_LEAST_SHARE = 0.001  # of the flame graph: about a pixel
_BRANCHES_MAX = 200


def recording_html(recording: Recording) -> str:
    """Return the page.

    Raises:
        OutliveError: plotly's script, which draws it, is not installed.

    """
    sites = [site for site in grouped(recording) if site.samples]
    tree = call_tree(recording)
    held = tree.held.estimate
    return page(
        "recording.html",
        title=program_text.program(recording),
        subtitle=" · ".join(
            (program_text.identity(recording), death(recording).text, program_text.times(recording))
        ),
        interval=program_text.interval(recording),
        notes=list(program_text.shortcomings(recording)),
        in_use=mib(held.estimate),
        spread=spread(held),
        samples=len(recording.samples),
        rss=_rss(recording),
        sites=_rows(recording, sites[:_SITES_MAX]),
        rest=len(sites[_SITES_MAX:]),
        rest_size=mib(sum(site.in_use.estimate for site in sites[_SITES_MAX:])),
        charts={"timeline": _timeline(recording.timeline), "flame": _flame(recording, tree)},
    )


def _rss(recording: Recording) -> dict[str, str] | None:
    rss = last_and_most_rss(recording)
    return None if rss is None else {"last": mib(rss[0]), "peak": mib(rss[1])}


def _rows(recording: Recording, sites: list[SiteTotal]) -> list[dict[str, object]]:
    """Return what the table shows of each site: figures, and the stack of it that holds most."""
    source = SourceLines(recording)
    largest: dict[Frame, tuple[float, Stack]] = {}
    for number, held in sums(recording.samples).items():
        stack = recording.stacks[number]
        frame = innermost(stack)
        if frame not in largest or held.total > largest[frame][0]:
            largest[frame] = held.total, stack
    scale = max((site.in_use.high for site in sites), default=0) or 1
    rows: list[dict[str, object]] = []
    for site in sites:
        frame = innermost(site.stack)
        rows.append(
            {
                "frame": frame,
                "name": named(frame),
                "place": place(frame),
                "source": source.line(frame),
                "in_use": site.in_use,
                "in_use_text": mib(site.in_use.estimate),
                "spread": spread(site.in_use),
                "low": 100 * site.in_use.low / scale,
                "middle": 100 * site.in_use.estimate / scale,
                "width": 100 * (site.in_use.high - site.in_use.low) / scale,
                "blocks": site.blocks,
                "allocated": site.stack.allocated_bytes,
                "allocated_text": mib(site.stack.allocated_bytes),
                "stack": [named(outer) for outer in outwards(largest[frame][1])],
            }
        )
    return rows


def _timeline(timeline: tuple[Point, ...]) -> dict[str, list[str] | list[int | None]]:
    """Return the timeline as columns, thinned evenly; a peak between two points that stay is kept."""
    step = max(1, -(-len(timeline) // _POINTS_MAX))
    spans = [timeline[start : start + step] for start in range(0, len(timeline), step)]
    return {
        "time": [program_text.clock(span[-1].time) for span in spans],
        "peak": [
            max(
                (max(point.rss, point.rss_peak or 0) for point in span if point.rss is not None), default=None
            )
            for span in spans
        ],
        "rss": [span[-1].rss for span in spans],
        "uss": [span[-1].uss for span in spans],
        "python": [span[-1].python_in_use for span in spans],
        "malloc": [span[-1].malloc_in_use for span in spans],
    }


def _flame(recording: Recording, root: Node) -> dict[str, list[str] | list[int]]:
    """Return the call tree as plotly's icicle wants it: a node a row, with its parent's number."""
    source = SourceLines(recording)
    least = root.held.total * _LEAST_SHARE
    names, places, sources, origins, spreads = (list[str]() for _ in range(5))
    parents, values = list[int](), list[int]()

    def add(frame_name: str, frame: Frame | None, held: Sum, size: int, parent: int) -> int:
        names.append(frame_name)
        places.append(place(frame) if frame else "")
        sources.append(source.line(frame) if frame else "")
        origins.append(origin(frame) if frame else "none")
        spreads.append(f"{mib(held.total)} ({spread(held.estimate)})")
        parents.append(parent)
        values.append(size)
        return len(values) - 1

    left: list[tuple[Node, int]] = []
    if root.held.samples:
        left.append((root, add(root.frame.function, None, root.held, round(root.held.total), -1)))
    while left:
        node, number = left.pop()
        shown, folded = node.parted(least, _BRANCHES_MAX)
        room = values[number]  # rounded parts may be a byte more than their sum: plotly draws no such tree
        for child in shown:
            size = min(round(child.held.total), room)
            room -= size
            left.append((child, add(child.frame.function, child.frame, child.held, size, number)))
        if folded:
            held = merged(folded)
            add(f"({len(folded):,} smaller)", None, held, min(round(held.total), room), number)
    return {
        "names": names,
        "places": places,
        "sources": sources,
        "origins": origins,
        "spreads": spreads,
        "parents": parents,
        "values": values,
    }
