"""The last result of an interactive session: builtins._.

1 held by module or interpreter: builtins → _
"""

import sys

import outlive


class Leaked:
    pass


sys.displayhook(Leaked())

outlive.snapshot(sys.argv[1])
