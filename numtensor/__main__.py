"""The command line: ``numtensor demo``, ``info``, ``warmup``, ``cache``, ``bench`` and ``stubs``."""

import argparse
import importlib
import sys

COMMANDS = {
    "demo": "train a classifier of handwritten digits, serve it in inference mode, and time the modes",
    "info": "show versions, the processor, and the kernel store",
    "warmup": "compile kernels ahead of their first use",
    "cache": "show or clear the kernel store",
    "bench": "time numtensor beside PyTorch, NumPy, JAX and others",
    "stubs": "write the stub files, by which type checkers see the ops",
}


def main(arguments=None):
    """Run the command line.

    Args:
        arguments: the words after ``numtensor``; those of the process if None.

    Returns:
        The exit status: 0 for success, 1 for a failure that was explained.
    """
    parser = argparse.ArgumentParser(prog="numtensor", description="Tensors and autograd on Numba kernels.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    # A command's module is imported only when it runs: `numtensor info` must not wait for what `demo` needs.
    chosen = next((word for word in (sys.argv[1:] if arguments is None else arguments) if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == chosen:
            module = importlib.import_module(f"numtensor.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    parsed = parser.parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
