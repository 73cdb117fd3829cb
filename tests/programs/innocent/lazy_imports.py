"""Modules are imported when a request first needs them.

expect: no leak
"""

import importlib
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
MODULES = (
    "csv",
    "html.parser",
    "xml.dom.minidom",
    "http.server",
    "email.mime.text",
    "sqlite3",
    "difflib",
    "wave",
)

for number in range(RUNS):
    with outlive.scope("handle"):
        importlib.import_module(MODULES[min(number // 4, len(MODULES) - 1)])
