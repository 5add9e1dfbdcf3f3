"""``size``: what there is to download and to keep."""

import importlib.metadata
import io
import zipfile
from pathlib import Path

import numtensor
import numtensor.kernels

from .declare import Group, Row

ROWS = [
    # Distributions to add up, without what numtensor needs, too.
    Row("installed files", "numtensor", torch="torch", numpy="numpy", jax="jax jaxlib", onnx="onnxruntime", unit="B"),
    Row("wheel", "numtensor", torch=None, unit="B"),
]


def measure(case, contestants, options):
    """Return one sample of bytes for each contestant."""
    if case.row.name == "wheel":
        return {"numtensor": [wheel_size()]}
    return {one.name: [_installed_size(case.programs()[one.name])] for one in contestants}


def sources():
    """Return (path in the package, file) of every file of numtensor that is installed."""
    roots = {"numtensor": numtensor, "numtensor/kernels": numtensor.kernels}
    return [
        (f"{prefix}/{path.relative_to(root)}", path)
        for prefix, package in roots.items()
        for root in [Path(package.__file__).parent]
        for path in sorted(root.rglob("*"))
        if path.is_file() and (path.suffix == ".py" or path.name == "py.typed")
    ]


def wheel_size():
    """Return the bytes of the package's files compressed, which is what a wheel is but for a page of metadata."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in dict(sources()).items():
            archive.write(path, name)
    return len(file.getvalue())


def _installed_size(distributions):
    if distributions == "numtensor":
        return sum(path.stat().st_size for path in dict(sources()).values())
    return sum(
        file.size or 0
        for name in distributions.split()
        for file in importlib.metadata.files(name) or ()
        if file.suffix != ".pyc"
    )


GROUP = Group("size", "bytes to download and to keep", ROWS, measure)
