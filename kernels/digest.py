"""The hash function of keys and entries, without what Python's hashlib loads for all the others: OpenSSL."""

try:
    from _blake2 import blake2b
except ImportError:  # a Python that was built without it
    from hashlib import blake2b

__all__ = ["blake2b"]
