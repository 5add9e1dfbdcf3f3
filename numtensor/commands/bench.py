"""``numtensor bench``: numtensor beside PyTorch, NumPy, JAX, ONNX Runtime, autograd and MyGrad, those that are there.

What is measured and how stands in ``numtensor/bench/``; here is the command line.
"""

import json
import os
import platform
import sys
from pathlib import Path

from .. import __version__
from ..bench import goals, report
from ..bench.contestants import CONTESTANTS
from ..bench.groups import GROUPS
from ..bench.runner import ONE_THREAD, run_group
from .progress import progress


def add_arguments(parser):
    """Add this command's arguments to its parser."""
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--group", choices=GROUPS, action="append", help="only this group (may be repeated)")
    parser.add_argument(
        "--rows", metavar="PATTERN", default="", help="only rows whose name contains this, or matches it with * and ?"
    )
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the report to a file, too")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to a file, too")


def run(arguments):
    """Run the command.

    Returns:
        0; 1 if a row failed, because contestants disagree or one raised; 2 if no row has such a name.
    """
    groups = {name: group for name, group in GROUPS.items() if name in (arguments.group or GROUPS)}
    count = sum(len(group.cases(arguments.rows)) for group in groups.values())
    if not count:
        print(f"bench: no row's name matches {arguments.rows!r}", file=sys.stderr)
        return 2
    missing = [one.title for one in CONTESTANTS.values() if not one.installed()]
    if missing:
        print(f"bench: not installed, so not compared with: {', '.join(missing)}", file=sys.stderr)

    about = machine(arguments.quick)
    lines = []
    for line in progress(_lines(groups, arguments), count, "measuring", "row"):
        if line["failure"]:
            print(f"\nbench: FAILED {line['group']}: {line['name']}: {line['failure']}", file=sys.stderr)
        lines.append(line)
    document = {"machine": about, "summary": report.summary(lines), "lines": lines}
    titles = {name: group.title for name, group in GROUPS.items()}
    text = report.markdown(document, titles, goals.checked(lines))
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return 1 if any(line["failure"] for line in lines) else 0


def _lines(groups, arguments):
    for group in groups.values():
        yield from run_group(group, arguments.rows, arguments.quick)


def machine(quick):
    """Return what figures depend on, by name."""
    versions = {one.packages[0]: one.version() for one in CONTESTANTS.values() if one.installed()}
    return {
        "numtensor": __version__,
        "Python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        # Of others: above 0, figures are theirs, too.
        "load average at the start": f"{os.getloadavg()[0]:.2f}",
        "contestants": ", ".join(f"{name} {version}" for name, version in versions.items() if name != "numtensor"),
        "threads": f"one each ({', '.join(sorted(ONE_THREAD))} set)",
        "rounds": "quick: figures are rough" if quick else "full",
    }


def _processor():
    import llvmlite.binding as llvm

    return llvm.get_host_cpu_name()
