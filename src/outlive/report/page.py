"""Pages that need no network: everything in one file, and only the page's own scripts run."""

from __future__ import annotations

import importlib.util
import secrets
from pathlib import Path

from outlive.errors import OutliveError

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: object) -> str:
    """Return a page made of a template that extends page.html, with plotly's script in it if it has charts.

    Args:
        template: its file's name.
        values: what it takes: for page.html itself "title", "subtitle" and, if it has any, "charts", the data
            for its scripts.

    Raises:
        OutliveError: plotly's script, which draws them, is not installed.

    """
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Only the page's own scripts run, whatever a name in it holds, and nothing is fetched.
    script = plotly() if "charts" in values else ""
    return templates.get_template(template).render(nonce=secrets.token_urlsafe(), plotly=script, **values)


def plotly() -> str:
    """Return the script that comes with plotly; the package itself takes long to import.

    Raises:
        OutliveError: it is not installed.

    """
    spec = importlib.util.find_spec("plotly")
    places = (spec and spec.submodule_search_locations) or []
    for folder in places:
        try:
            return (Path(folder) / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
        except OSError:
            continue
    raise OutliveError("can't draw the page", "plotly's script is not installed", "pip install plotly")
