"""Saving and loading: nested dicts and lists of tensors and plain values, as safetensors or as NumPy's npz.

Both formats hold named arrays; what they cannot express (nesting, order, plain values) stands beside them as JSON.
Nothing that is loaded is ever executed: no pickle is read, whatever the file claims to be.

A dict of tensors keeps its keys as the arrays' names, so that other programs find them; deeper tensors are named by
their path, such as ``model.0.weight``. On the way back every tensor is a leaf that requires no grad, with memory of
its own: parameters that shared memory do not share it any more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from . import dtypes
from .tensor import Size, Tensor, wrap

if TYPE_CHECKING:
    from typing import Any

# The name of the JSON among the arrays of an npz, and in the metadata of a safetensors file.
_STRUCTURE = "__numtensor__"

_SUFFIXES = (".safetensors", ".npz")

# What JSON gives back as it was.
_PLAIN = (type(None), bool, str, int, float)

_CONVERT = (
    "Loading it could run any code, so numtensor does not. Convert it once, where PyTorch is installed and the file is "
    "trusted: safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')"
)


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Save tensors to a file; its suffix chooses the format.

    The file is written beside its place and then moved there: an interrupted save leaves the old one.

    Args:
        obj: a tensor, or dicts, lists and tuples (nested as you like) of tensors, numbers, strings, bools and None.
        path: of the file: ``.safetensors`` (which needs the package of that name) or ``.npz``.

    Raises:
        ValueError: the suffix is another one.
        TypeError: something in `obj` cannot be saved; says where it is.
        ImportError: the package safetensors is missing.
        OSError: the file cannot be written.

    Reference: ``torch.save``, for data only.

    Example:
        >>> import numtensor as nt, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
        >>> nt.save({"weight": nt.tensor([1.0, 2.0]), "epoch": 3}, path)
        >>> nt.load(path)
        {'weight': tensor([1., 2.]), 'epoch': 3}
    """
    path = _as_path("save", path)
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _SUFFIXES:
        raise ValueError(
            f"save: {path!r} does not end in {' or '.join(_SUFFIXES)}; the suffix chooses the format"
        )
    import json

    arrays = {}
    structure = json.dumps(_encode(obj, "", arrays))
    write = _write_npz if suffix == ".npz" else _write_safetensors
    # A link keeps pointing to its file, whose place is where the new one goes.
    path = os.path.realpath(path)
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        # Those of the file that is replaced, or what the umask gives; safetensors sets its own.
        permissions = os.stat(path if os.path.exists(path) else temporary).st_mode & 0o7777
        write(temporary, arrays, structure)
        os.chmod(temporary, permissions)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load(path: str | os.PathLike[str]) -> Any:
    """Load what `save` wrote, or any file of the two formats; the file's content decides which it is.

    Args:
        path: of the file.

    Returns:
        What was saved. A file of another program gives a dict of its tensors by name.

    Raises:
        RuntimeError: the file is damaged, cut off, of another format, or would have to be executed.
        TypeError: it has an array of a dtype that tensors do not have.
        ImportError: the package safetensors is needed and missing.
        OSError: the file cannot be read.

    Reference: ``torch.load``, for data only.

    Example:
        >>> import numtensor as nt, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
        >>> nt.save([nt.tensor(1.5), None], path)
        >>> nt.load(path)
        [tensor(1.5000), None]
    """
    import json

    path = _as_path("load", path)
    with open(path, "rb") as file:
        head = file.read(16)
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        arrays, structure = _read_npz(path)
    elif head[:1] == b"\x80" or head[:4] in (b"(dp0", b"(lp0"):
        raise RuntimeError(f"load: {path!r} is a pickle, as torch.save and pickle.dump write. {_CONVERT}")
    elif head[8:9] == b"{":
        arrays, structure = _read_safetensors(path)
    else:
        raise RuntimeError(f"load: {path!r} is neither a safetensors nor an npz file, or is damaged")
    tensors = {}
    for name, array in arrays.items():
        dtypes.from_numpy_dtype(array.dtype, f"load: {name!r} in {path!r}")
        tensors[name] = array
    if structure is None:
        return {name: wrap(array) for name, array in tensors.items()}
    try:
        return _decode(json.loads(structure), tensors)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RuntimeError(f"load: {path!r} is damaged: what it says of its structure is wrong: {error!r}") from error


def _as_path(op, path):
    try:
        path = os.fspath(path)
    except TypeError:
        raise TypeError(f"{op}: path must be a string or a path, not {type(path).__name__}") from None
    return os.fsdecode(path)


# ---------------------------------------------------------------------------------------------------------------------
# Structure


def _encode(value, place, arrays):
    """Return `value` as JSON knows it, with its tensors put into `arrays` by name."""
    if isinstance(value, Tensor):
        name = _free_name(place or "tensor", arrays)
        arrays[name] = value._array
        return {"tensor": name}
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, dict):
        pairs = []
        for key, item in value.items():
            if type(key) not in _PLAIN:
                raise TypeError(f"save: the key {key!r} at {place or 'the top'} is no string, number or None")
            pairs.append([key, _encode(item, f"{place}.{key}" if place else str(key), arrays)])
        return {"dict": pairs}
    if type(value) in (list, tuple, Size):
        items = [_encode(item, f"{place}.{k}" if place else str(k), arrays) for k, item in enumerate(value)]
        return {"list" if type(value) is list else "tuple": items}
    raise _unsavable(value, place)


def _unsavable(value, place):
    return TypeError(
        f"save: cannot save a {type(value).__name__} (at {place or 'the top'}); what can be saved are tensors, "
        "numbers, strings, bools and None, in dicts, lists and tuples: turn a NumPy array into a tensor with "
        "from_numpy(...), and a module or an optimizer into its state_dict()"
    )


def _free_name(name, arrays):
    """Return `name`, with a number if another tensor has it: paths such as {"a.b"} and {"a": {"b"}} meet."""
    free, number = name, 1
    while free in arrays or free in (_STRUCTURE, "__metadata__"):
        number += 1
        free = f"{name}~{number}"
    return free


def _decode(value, arrays):
    if isinstance(value, dict):
        ((kind, content),) = value.items()
        if kind == "tensor":
            return wrap(arrays[content])
        if kind == "dict":
            return {key: _decode(item, arrays) for key, item in content}
        if kind in ("list", "tuple"):
            return (list if kind == "list" else tuple)(_decode(item, arrays) for item in content)
        raise ValueError(f"unknown kind {kind!r}")
    if isinstance(value, list):
        raise ValueError("a list without a kind")
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Formats


def _contiguous(array):
    # np.ascontiguousarray would make a 0-d array 1-d.
    return array if array.flags.c_contiguous else array.copy(order="C")


def _safetensors(op, path):
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            f"{op}: {path!r} needs the package safetensors: pip install safetensors (or use .npz, which needs nothing)"
        ) from None
    return safetensors


def _write_safetensors(path, arrays, structure):
    library = _safetensors("save", path)
    contiguous = {name: _contiguous(array) for name, array in arrays.items()}
    library.numpy.save_file(contiguous, path, metadata={_STRUCTURE: structure})


def _read_safetensors(path):
    library = _safetensors("load", path)
    try:
        with library.safe_open(path, framework="numpy") as file:
            # The header is in the order of the file; keys() would sort it.
            names = list(file.offset_keys()) if hasattr(file, "offset_keys") else list(file.keys())
            # A copy, because what it gives may be read-only or a window into the file.
            return {name: np.array(file.get_tensor(name)) for name in names}, (file.metadata() or {}).get(_STRUCTURE)
    except library.SafetensorError as error:
        raise RuntimeError(f"load: {path!r} is damaged, or cut off: {error}") from error
    except (TypeError, AttributeError) as error:
        raise TypeError(f"load: {path!r} has an array of a dtype that NumPy does not have: {error}") from error


def _write_npz(path, arrays, structure):
    import zipfile

    text = np.frombuffer(structure.encode(), np.uint8)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        # np.savez would take names such as "file" for its own arguments.
        for name, array in [(_STRUCTURE, text), *arrays.items()]:
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, _contiguous(np.asarray(array)), allow_pickle=False)


def _read_npz(path):
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.rpartition("/")[2] in ("data.pkl", "constants.pkl") for name in names):
                raise RuntimeError(f"load: {path!r} is a PyTorch checkpoint, which is a pickle. {_CONVERT}")
            arrays = {}
            for name in names:
                if not name.endswith(".npy"):
                    raise ValueError(f"{name!r} is no array")
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
                    # Reading to the end makes zipfile compare the checksum.
                    if member.read(1):
                        raise ValueError(f"{name!r} is longer than its array")
        structure = arrays.pop(_STRUCTURE, None)
        return arrays, None if structure is None else structure.tobytes().decode()
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, MemoryError, NotImplementedError) as error:
        raise RuntimeError(f"load: {path!r} is damaged, or cut off, or holds objects: {error}") from error
