"""L20: figures of pyplot are never closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if find(evidence, r"class (?:matplotlib\._pylab_helpers\.)?Gcf", "figs", "OrderedDict.*"):
        return "pyplot keeps every figure until it is closed"
    return ""


RULE = Rule(
    number="L20",
    title="Figures of pyplot never closed",
    sign=_sign,
    told="The way leads over `Gcf.figs`, where pyplot has every figure that it was not told to close.",
    cure="plt.close(figure); on a server matplotlib.figure.Figure(), without pyplot",
    before="""\
from matplotlib import pyplot

def handle(number):
    figure = pyplot.figure()
    figure.rows = load(number)
""",
    after="""\
from matplotlib.figure import Figure

def handle(number):
    figure = Figure()
    figure.rows = load(number)
""",
)
