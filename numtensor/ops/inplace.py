"""Writing into a tensor: in-place forms, ``out=``, and the graph of views whose base changed.

Everything is checked before anything is written.
"""

import numpy as np

from .. import dtypes
from ..debug import origin
from ..graph import NO_VERSION, NodeHooks, Output, counter_of, make_metadata, make_node
from ..modes import current
from ..tensor import Tensor, new
from . import direct
from .layouts import arranged, replay_of
from .view_gradient import embed_array, may_overlap


def check_writable(name, tensor, part=None):
    """Raise unless `tensor` may be changed in place in the current mode.

    Args:
        name: of the op, for the message.
        tensor: the tensor.
        part: the array that is written to, if not the whole of it.

    Raises:
        RuntimeError: it is an inference tensor outside inference mode, a leaf that requires grad (or a view of one)
            while gradients are enabled, a view made without recording of a tensor that requires grad, or several of
            its elements share one memory location.
    """
    mode = current.mode
    meta = tensor._meta
    array = tensor._array
    if meta is None or meta.counter is NO_VERSION:
        if not mode.inference:
            if meta is not None and meta.requires_grad and mode.grad:
                raise RuntimeError(
                    f"{name}: a leaf Variable that requires grad is being used in an in-place operation "
                    f"(an inference tensor of shape {array.shape})"
                )
            raise RuntimeError(
                f"{name}: Inplace update to inference tensor outside InferenceMode is not allowed (shape "
                f"{array.shape}).{origin(tensor)} You can make a clone() to get a normal tensor before the update."
            )
    elif mode.path == "tracked" and meta.requires_grad:
        if meta.base is not None:
            base_meta = meta.base._meta
            if (base_meta if base_meta.requires_grad else meta).node is None:
                raise RuntimeError(
                    f"{name}: a view of a leaf Variable that requires grad is being used in an in-place operation "
                    f"(shape {array.shape}); do it under no_grad(), or on a clone()"
                )
            check_recordable(name, tensor)
        elif meta.node is None:
            raise RuntimeError(
                f"{name}: a leaf Variable that requires grad is being used in an in-place operation (shape "
                f"{array.shape}); do it under no_grad(), or on a clone()"
            )
    if part is not None:
        array = part
    if not array.flags.writeable:
        raise RuntimeError(f"{name}: the tensor is on read-only memory (shape {array.shape}); clone() it first")
    if not array.flags.c_contiguous and may_overlap(array):
        raise RuntimeError(
            f"{name}: unsupported operation: more than one element of the written-to tensor refers to a single memory "
            f"location (shape {array.shape}). Please clone() the tensor before performing the operation."
        )


def bump_version(tensor, name):
    """Count one change of the tensor's memory."""
    meta = tensor._meta
    if meta is not None and meta.counter is not NO_VERSION:
        counter = counter_of(meta)
        if meta.base is not None and meta.version == counter.value and not requires_recording(tensor):
            # An unrecorded change through the view itself leaves the view's place in the graph as it is.
            meta.version += 1
        counter.value += 1
        counter.last_op = name


def requires_recording(*tensors):
    """Whether an in-place op of these is part of a graph."""
    if current.mode.path != "tracked":
        return False
    return any(
        t._meta is not None and t._meta.requires_grad for t in tensors if isinstance(t, Tensor)
    )


def run(op, target, *arguments, **keywords):
    """Run the in-place form of an op on `target`, and return it.

    `keywords` are those of the declaration, if any is given.
    """
    # The op may never be called otherwise.
    op.quicken(current.mode.path)
    if op.write_otherwise is not None:
        written = op.write_otherwise(target, *arguments, **keywords)
        if written is not None:
            return written
    if op.keeps_dtype and not keywords and direct.apply(op, target, arguments):
        return target
    name = op.name + "_"
    if not isinstance(target, Tensor):
        raise TypeError(f"{name}: the tensor to change must be a Tensor, not {type(target).__name__}")
    check_writable(name, target)
    flat = [*arguments]
    for value in arguments:
        if isinstance(value, (list, tuple)):
            flat += value
    recording = requires_recording(target, *flat)
    source = target
    if recording:
        check_recordable(name, target)
        # What the op saves of its input is the old value, which is about to be overwritten.
        source = _old_value(target, op, keywords)
        for wrapper in current.mode.active:
            wrapper.stands_for(source, target)
    compute = op.call_with_keywords if keywords else getattr(current.mode, op.name)
    result = compute(source, *arguments, **keywords)
    _check_result(name, target, result._array)
    write(target, result._array, name)
    if recording:
        if result._meta.requires_grad:
            adopt(target, result)
        elif source._meta.requires_grad:
            adopt(target, _without_gradient(target, source))
    for wrapper in current.mode.active:
        wrapper.changed(name, target, result)
    return target


def _without_gradient(target, source):
    """Return a tensor that stands for a result without gradient in the graph of `target`."""
    result = new(Tensor)
    result._array = target._array
    result._meta = make_metadata(True)
    if target._meta.base is None:
        meta = source._meta
        result._meta.node = make_node(CUT, (meta.node or meta,), ())
    return result


def _old_value(target, op, keywords):
    """Return a tensor of the same place in the graph whose memory the coming change does not touch."""
    saved = op.saves.values() if isinstance(op.saves, dict) else [op.saves]
    # What an expression of other ops saves is not known here.
    copies = bool(keywords) or op.kind == "composite"
    copies = copies or any("input" in ((needs,) if isinstance(needs, str) else needs) for needs in saved)
    return stand_in(target, target._array.copy() if copies else target._array)


def stand_in(target, array):
    """Return a tensor of an array, at the target's place in the graph."""
    other = new(Tensor)
    other._array = array
    other._meta = make_metadata(target._meta.requires_grad)
    other._meta.node = refresh_view(target) if target._meta.base is not None else target._meta.node
    return other


def _check_result(name, target, result):
    if result.shape != target._array.shape:
        raise RuntimeError(
            f"{name}: output with shape {target._array.shape} doesn't match the broadcast shape {result.shape}; "
            "an in-place op keeps its tensor's shape"
        )
    check_cast(name, dtypes.FROM_NUMPY[result.dtype], target.dtype)


def check_cast(name, source, target):
    """Raise unless results of dtype `source` may be written to a tensor of dtype `target`."""
    if source.category > target.category:
        raise RuntimeError(
            f"{name}: result type {source.name} can't be cast to the desired output type {target.name}; use the "
            "out-of-place form, or convert with .to(...)"
        )


def write(target, array, name):
    """Copy `array` into the tensor's memory and count the change; all checks were made before."""
    # Counted first: an interrupt comes when something is written.
    bump_version(target, name)
    np.copyto(target._array, array, casting="unsafe")


def adopt(target, result):
    """Let `target`, just overwritten with the result's values, take the result's place in the graph.

    A change of a view is recorded in its base: the base's node becomes a `SliceWrite`, and every view of it finds
    its own node anew.
    """
    meta = target._meta
    if meta.base is None:
        meta.requires_grad = True
        move(meta, result._meta.node)
        return
    base_meta = meta.base._meta
    base_edge = None
    if base_meta.requires_grad:
        base_edge = base_meta.node or base_meta
    node = make_node(SLICE_WRITE, (base_edge, result._meta.node), (), None, replay_of(target))
    base_meta.requires_grad = True
    move(base_meta, node)
    # Whatever its version, the view's node is not right any more.
    meta.version = -1
    view_node(target)


def move(meta, edge, before=None):
    """Give a tensor another place in the graph; if its gradient is to be kept (`retain_grad`), now the one from there.

    Args:
        meta: its metadata.
        edge: the place.
        before: the metadata that it had in its old place, if they were others.
    """
    before = before or meta
    old = before.node
    meta.node = edge
    if old is None:
        return
    node, number = (old.node, old.number) if type(old) is Output else (old, 0)
    if node.hooks is not None and node.hooks.retained.get(number) is before:
        del node.hooks.retained[number]
        node, number = (edge.node, edge.number) if type(edge) is Output else (edge, 0)
        if node.hooks is None:
            node.hooks = NodeHooks()
        node.hooks.retained[number] = meta


class SliceWrite:
    """The op of a node that stands for "part of the base was overwritten".

    The gradient of the old base is the gradient of the new one with zeros in the part; the part's own gradient goes
    to the node that made what was written.
    """

    name = "slice_write"
    node_name = "CopySlices"

    @staticmethod
    def backward_arrays(node, grad):
        replay = node.extra
        old, written = node.edges
        rest = arranged(grad, replay)
        shown = replay(rest)
        part = shown.copy() if written is not None else None
        if old is None:
            return None, part
        shown[...] = 0
        return rest, part

    @staticmethod
    def backward_tensors(node, grad):
        replay = node.extra
        old, written = node.edges
        part = current.mode.extract(grad, replay) if written is not None else None
        rest = None
        if old is not None:
            kept = arranged(np.ones(grad._array.shape, bool), replay)
            replay(kept)[...] = False
            rest = current.mode.where(_constant(kept), grad, 0.0)
        return rest, part


SLICE_WRITE = SliceWrite()


class Cut:
    """The op of a node that stands for "overwritten with what has no gradient"."""

    name = "cut"
    node_name = "CutBackward"

    @staticmethod
    def backward_arrays(node, grad):
        return (np.zeros(grad.shape, grad.dtype),)

    @staticmethod
    def backward_tensors(node, grad):
        return (_constant(np.zeros(grad._array.shape, grad._array.dtype)),)


CUT = Cut()


def _constant(array):
    made = new(Tensor)
    made._array = array
    made._meta = make_metadata()
    return made


class ViewOfBase:
    """The op of a node that stands for "the part of the base that a view shows", after the base was changed."""

    name = "view"
    node_name = "AsStridedBackward"

    @staticmethod
    def backward_arrays(node, grad):
        replay, shape = node.extra
        return (embed_array(grad, shape, replay),)

    @staticmethod
    def backward_tensors(node, grad):
        replay, shape = node.extra
        return (current.mode.embed(grad, shape, replay),)


VIEW_OF_BASE = ViewOfBase()


def _from_base(tensor):
    """Return a node for what a view shows of its base as it is now."""
    base = tensor._meta.base
    return make_node(VIEW_OF_BASE, (base._meta.node or base._meta,), (), None, (replay_of(tensor), base._array.shape))


def view_node(tensor):
    """Return the node of a view as it is now, made anew if its base was changed in place since.

    Returns:
        The node, an output of one, or None for a view without history of its own.

    Raises:
        RuntimeError: the view was made without recording or as one of several, and its base was changed since.
    """
    meta = tensor._meta
    base_meta = meta.base._meta
    version = 0 if base_meta.counter is None else base_meta.counter.value
    if version != meta.version and base_meta.requires_grad:
        if meta.path != "tracked":
            raise RuntimeError(
                f"{_origin(meta)} and its base or another view of its base has been modified inplace with grad mode "
                f"enabled (shape {tensor._array.shape}); {_WAY_OUT[meta.path]}"
            )
        meta.requires_grad = True
        move(meta, _from_base(tensor))
        meta.version = version
    return meta.node


def refresh_view(tensor):
    """Return the edge that the gradient of a view takes, or None for one that accumulates it itself.

    A view that was made without recording leads to its base all the same: PyTorch loses the gradient.

    Raises:
        RuntimeError: as `view_node`.
    """
    node = view_node(tensor)
    if node is None:
        meta = tensor._meta
        if meta.base._meta.requires_grad:
            if meta.link is None:
                meta.link = _from_base(tensor)
            return meta.link
    return node


def _origin(meta):
    """Say how a view came about that may not be changed while recording."""
    if meta.path == "several":
        return "A view is the output of a function that returns multiple views"
    return f"A view was created in {'inference mode' if meta.path == 'inference' else 'no_grad mode'}"


_WAY_OUT = {
    "several": "use the out-of-place form, or take the view by indexing",
    "no_grad": "take the view while gradients are enabled, or clone() it",
    "inference": "take the view while gradients are enabled, or clone() it",
}


def check_recordable(name, tensor):
    """Raise if a change of the tensor would be recorded, and it is a view whose place in the graph is unknown.

    Raises:
        RuntimeError: it was made without recording, or as one of several.
    """
    meta = tensor._meta
    if meta is not None and meta.base is not None and meta.path != "tracked":
        raise RuntimeError(
            f"{name}: {_origin(meta)} and is being modified inplace with grad mode enabled (shape "
            f"{tensor._array.shape}); {_WAY_OUT[meta.path]}"
        )


def write_out(op, out, arguments, **keywords):
    """Run an op and put its result into `out`; `keywords` are those of the declaration, at their defaults or not.

    Raises:
        RuntimeError: an argument requires grad while gradients are enabled, `out` may not be written, or the
            dtype of the result does not fit.
    """
    name = f"{op.name}(out=)"
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}: out must be a Tensor, not {type(out).__name__}")
    if requires_recording(out, *arguments):
        raise RuntimeError(
            f"{name}: functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad"
        )
    check_writable(name, out)
    compute = op.call_with_keywords if keywords else getattr(current.mode, op.name)
    computed = compute(*arguments, **keywords)
    result = computed._array
    check_cast(name, dtypes.FROM_NUMPY[result.dtype], out.dtype)
    if out._array.shape != result.shape:
        if out._array.size:
            raise RuntimeError(
                f"{name}: out has shape {out._array.shape}, the result {result.shape}; give an out of that shape, or "
                "an empty one"
            )
        out._array = np.empty(result.shape, out._array.dtype)
    write(out, result, name)
    for wrapper in current.mode.active:
        wrapper.changed(name, out, computed)
    return out
