"""Threads for the rules: start one, hand its result or its error back."""

from concurrent.futures import ThreadPoolExecutor


def in_thread(function, *args, **kwargs):
    """Return what `function` returns in a new thread, which ends with it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args, **kwargs).result()
