"""``numtensor cache``: where the kernel store is, how large it is, and clearing it."""

import os

from ..kernels import store


def add_arguments(parser):
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "action", nargs="?", choices=("info", "where", "clear"), default="info", help="what to do (default: info)"
    )


def run(arguments):
    """Run the command."""
    if arguments.action == "where":
        print(store.root())
    elif arguments.action == "clear":
        count, size = store.clear()
        print(f"removed {count} files, {format_bytes(size)}, from {store.root()}")
    else:
        print(describe_store())


def describe_store():
    """Return lines about the store: its folder, its entries of this version and of others."""
    folder = store.folder()
    if folder is None:
        return "kernel store: off (kernels are compiled in each process)"
    entries = store.entries()
    size = sum(os.stat(path).st_size for path in entries)
    lines = [
        f"kernel store: {folder}",
        f"  {len(entries)} kernels of this version and processor, {format_bytes(size)}",
    ]
    others = len(store.all_entries()) - len(entries)
    if others > 0:
        lines.append(f"  {others} kernels of other versions; `numtensor cache clear` removes all")
    return "\n".join(lines)


def format_bytes(size):
    """Return a size in the unit that reads well."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
