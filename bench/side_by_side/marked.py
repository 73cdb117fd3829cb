"""Lines of a benchmark's program that are spoken of, by the mark `# <-` at their end."""

import inspect
from collections.abc import Callable


def marked_lines(function: Callable[..., object]) -> list[int]:
    """Return the numbers of the function's marked lines."""
    lines, first = inspect.getsourcelines(function)
    return [number for number, line in enumerate(lines, first) if "# <-" in line]
