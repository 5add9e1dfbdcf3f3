"""The process of one group: a line of JSON on standard output for each case."""

import argparse
import json
import os
import sys

from . import groups
from .contestants import CONTESTANTS
from .runner import QUICK, Options, run_case


def main():
    """Measure the cases of the group that the command line names."""
    parser = argparse.ArgumentParser(prog="numtensor.bench")
    parser.add_argument("group", choices=groups.GROUPS)
    parser.add_argument("--rows", default="")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    # A library that prints must not break the lines.
    with os.fdopen(os.dup(1), "w") as lines:
        os.dup2(2, 1)
        contestants = {name: one for name, one in CONTESTANTS.items() if one.installed()}
        options = QUICK if arguments.quick else Options()
        for case in groups.GROUPS[arguments.group].cases(arguments.rows):
            print(json.dumps(run_case(case, contestants, options)), file=lines, flush=True)


if __name__ == "__main__":
    sys.exit(main())
