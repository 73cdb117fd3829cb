"""Times on the command line."""

from __future__ import annotations

import math

import click


class Seconds(click.FloatRange):
    """A number of seconds within bounds, which click takes "nan" to be, too."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or fail with a usage error."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds
