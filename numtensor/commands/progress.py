"""How a command shows on standard error how far it is."""

import sys


def progress(results, total, text, unit):
    """Pass results on under a progress bar: tqdm's if it is installed, else a count on a terminal.

    Args:
        results: what is passed on.
        total: how many there will be.
        text: what is being done.
        unit: what one result is.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        for done, result in enumerate(results, 1):
            if sys.stderr.isatty():
                print(f"\r{text} {done}/{total}", end="" if done < total else "\n", file=sys.stderr)
            yield result
    else:
        yield from tqdm(results, total=total, desc=text, unit=unit)
