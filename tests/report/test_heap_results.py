"""Lists that show themselves: as text, and in notebooks without becoming markup."""

from __future__ import annotations

from outlive.model.heap import Total
from outlive.report.heap_results import Results
from outlive.report.heap_table import census_table


def test_a_list_that_prints_as_its_table() -> None:
    totals = [Total("dict", 3, 256, 836)]
    results = Results(totals, lambda shown: census_table(shown, None))
    assert results == totals
    assert results[0].count == 3
    assert str(results) == repr(results) == census_table(totals, None).rstrip("\n")


def test_a_hostile_name_is_no_markup() -> None:
    totals = [Total("<script>alert('x')</script>&\x1b[1m", 3, 256, 836)]
    shown = Results(totals, lambda each: census_table(each, None))._repr_html_()
    assert shown.startswith("<pre>")
    assert shown.endswith("</pre>")
    inner = shown.removeprefix("<pre>").removesuffix("</pre>")
    assert "<" not in inner
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;\N{REPLACEMENT CHARACTER}[1m" in inner
