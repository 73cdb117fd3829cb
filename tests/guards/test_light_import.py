"""`import outlive` brings in nothing but the standard library, and little memory."""

import json
import subprocess
import sys

PROGRAM = """
import json, re, sys

def rss():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

before, rss_before = set(sys.modules), rss()
import outlive
grown = rss() - rss_before
print(json.dumps({"modules": sorted(set(sys.modules) - before), "grown_bytes": grown}))
"""


def test_only_the_standard_library_and_three_megabytes() -> None:
    # Chance and a first run's compiling only add; the least of three is the import's own.
    answers = [json.loads(subprocess.check_output([sys.executable, "-c", PROGRAM])) for _ in range(3)]
    packages = {name.partition(".")[0] for name in answers[0]["modules"]}
    assert "outlive" in packages
    assert packages - set(sys.stdlib_module_names) == {"outlive"}
    assert min(answer["grown_bytes"] for answer in answers) <= 3_000_000
