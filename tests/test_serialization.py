"""Saving and loading: what comes back, what is refused, and that a failed save leaves the old file."""

import math
import os
import pickle
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import numtensor as nt

SUFFIXES = [".npz", ".safetensors"]
DTYPES = [nt.bool, nt.uint8, nt.int8, nt.int16, nt.int32, nt.int64, nt.float32, nt.float64]


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return str(tmp_path / f"model{request.param}")


def round_trip(obj, path):
    nt.save(obj, path)
    return nt.load(path)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.name)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
def test_tensors_come_back_with_dtype_and_shape(path, dtype, shape):
    values = np.arange(math.prod(shape)).reshape(shape).astype(dtype.numpy)
    loaded = round_trip({"x": nt.from_numpy(values)}, path)["x"]
    assert type(loaded) is nt.Tensor and loaded.dtype is dtype and loaded.shape == shape
    np.testing.assert_array_equal(loaded.numpy(), values)
    assert loaded.numpy().flags.writeable


def test_layouts_special_values_and_parameters(path):
    whole = nt.arange(12.0).reshape(3, 4)
    state = {
        "transposed": whole.t(),
        "strided": whole[:, ::2],
        "special": nt.tensor([float("nan"), float("inf"), -0.0]),
        "parameter": nt.nn.Parameter(nt.tensor([1.0])),
    }
    loaded = round_trip(state, path)
    assert list(loaded) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(loaded[name].numpy(), tensor.detach().numpy())
    assert np.signbit(loaded["special"].numpy()[2])
    assert not loaded["parameter"].requires_grad and type(loaded["parameter"]) is nt.Tensor


def test_structure_order_and_plain_values_come_back(path):
    value = {
        "z": 1,
        "a": [nt.tensor(1), (None, True, "text", 2.5)],
        5: {"": {}, "file": nt.tensor(2)},
        None: float("inf"),
        "a.0": nt.tensor(3),
        "numpy": np.float32(0.5),
        "size": nt.zeros(2, 3).shape,
    }
    loaded = round_trip(value, path)
    assert list(loaded) == list(value)
    assert loaded["z"] == 1 and loaded["a"][0].item() == 1 and loaded["a"][1] == (None, True, "text", 2.5)
    assert loaded[5][""] == {} and loaded[5]["file"].item() == 2 and loaded[None] == float("inf")
    assert loaded["a.0"].item() == 3 and loaded["numpy"] == 0.5 and loaded["size"] == (2, 3)


@pytest.mark.parametrize("value", [5, "text", None, [], {}], ids=repr)
def test_files_without_any_tensor(path, value):
    assert round_trip(value, path) == value


def test_a_tensor_alone(path):
    assert round_trip(nt.tensor([1, 2]), path).tolist() == [1, 2]


def test_a_checkpoint_of_model_and_optimizer(path):
    model = nt.nn.Sequential(nt.nn.Linear(2, 2), nt.nn.BatchNorm1d(2))
    optimizer = nt.optim.Adam(model.parameters())
    model(nt.ones(3, 2)).sum().backward()
    optimizer.step()
    loaded = round_trip({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, path)
    other = nt.nn.Sequential(nt.nn.Linear(2, 2), nt.nn.BatchNorm1d(2))
    assert repr(other.load_state_dict(loaded["model"])) == "<All keys matched successfully>"
    resumed = nt.optim.Adam(other.parameters())
    resumed.load_state_dict(loaded["optimizer"])
    assert resumed.param_groups[0]["betas"] == (0.9, 0.999)
    assert [p.tolist() for p in other.parameters()] == [p.tolist() for p in model.parameters()]


def test_loading_in_inference_mode_gives_inference_tensors(path):
    nt.save({"x": nt.tensor([1.0])}, path)
    with nt.inference_mode():
        assert nt.load(path)["x"].is_inference()
    assert not nt.load(path)["x"].is_inference()


def test_other_programs_read_and_write_the_files(tmp_path):
    nt.save({"0.weight": nt.tensor([1.0]), "deep": {"x": nt.tensor([2])}}, tmp_path / "a.safetensors")
    found = load_file(tmp_path / "a.safetensors")
    assert found["0.weight"].tolist() == [1.0] and found["deep.x"].tolist() == [2]
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "b.safetensors")
    assert nt.load(tmp_path / "b.safetensors")["w"].tolist() == [1.0, 1.0]
    nt.save({"file": nt.tensor([1.0])}, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        assert archive["file"].tolist() == [1.0]
    np.savez(tmp_path / "b.npz", z=np.ones(2), a=np.zeros(1, np.float32))
    loaded = nt.load(tmp_path / "b.npz")
    assert list(loaded) == ["z", "a"] and loaded["z"].dtype is nt.float64


@pytest.mark.parametrize("write", [np.savez, lambda path, w: save_file({"w": w}, path)], ids=["npz", "safetensors"])
def test_a_dtype_that_tensors_do_not_have_is_named(tmp_path, write):
    path = tmp_path / "half.npz"
    write(path, w=np.zeros(2, np.float16))
    with pytest.raises(TypeError, match=r"'w' in .*float16"):
        nt.load(path)


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({"a": [1, object()]}, r"cannot save a object \(at a.1\)"),
        (np.ones(2), r"cannot save a ndarray \(at the top\).*from_numpy"),
        ({"m": nt.nn.Identity()}, "Identity.*state_dict"),
        ({(1, 2): 3}, "key"),
        ({"x": {1j}}, "set"),
    ],
    ids=lambda v: str(v)[:20],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(path, value, match):
    with pytest.raises(TypeError, match=match):
        nt.save(value, path)
    assert not os.path.exists(path)


def test_suffixes_and_paths(tmp_path):
    with pytest.raises(ValueError, match=r"does not end in .safetensors or .npz"):
        nt.save({}, tmp_path / "model.pt")
    with pytest.raises(TypeError, match="path must be a string or a path, not int"):
        nt.save({}, 5)
    with pytest.raises(FileNotFoundError):
        nt.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError):
        nt.save({}, tmp_path / "none" / "a.npz")


def test_a_failed_save_leaves_the_old_file_and_no_other(path, monkeypatch):
    nt.save({"x": nt.tensor([1.0])}, path)

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        nt.save({"x": nt.tensor([2.0])}, path)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
    assert nt.load(path)["x"].tolist() == [1.0]


@pytest.mark.skipif(os.name == "nt", reason="permissions and links of Unix")
def test_permissions_and_links_are_kept(path, tmp_path):
    nt.save({}, path)
    mask = os.umask(0)
    os.umask(mask)
    assert os.stat(path).st_mode & 0o777 == 0o666 & ~mask
    os.chmod(path, 0o640)
    link = str(tmp_path / ("link" + os.path.splitext(path)[1]))
    os.symlink(path, link)
    nt.save({"x": nt.tensor(1)}, link)
    assert os.path.islink(link) and os.stat(path).st_mode & 0o777 == 0o640
    assert nt.load(path)["x"].item() == 1


# ---------------------------------------------------------------------------------------------------------------------
# Damage, and what would have to be executed


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_cut_off_and_changed_files_are_refused(path):
    nt.save({"a": nt.arange(100.0), "b": nt.tensor([1])}, path)
    with open(path, "rb") as file:
        content = file.read()
    for cut in (0, 3, 9, 40, len(content) // 2, len(content) - 1):
        with open(path, "wb") as file:
            file.write(content[:cut])
        with pytest.raises(RuntimeError, match="damaged"):
            nt.load(path)


def test_a_changed_byte_of_an_npz_is_noticed(tmp_path):
    path = tmp_path / "model.npz"
    nt.save({"a": nt.arange(100.0)}, path)
    content = bytearray(path.read_bytes())
    position = content.index(np.arange(100, dtype=np.float32).tobytes()) + 50
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match="damaged"):
        nt.load(path)


def test_structure_that_does_not_hold_is_refused(tmp_path):
    for text in ('{"tensor": "missing"}', '{"bad": 1}', "[1]", "{", '{"dict": [1]}', '{"a": 1, "b": 2}'):
        np.savez(tmp_path / "a.npz", __numtensor__=np.frombuffer(text.encode(), np.uint8))
        with pytest.raises(RuntimeError, match="damaged"):
            nt.load(tmp_path / "a.npz")


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickles_are_refused_unexecuted(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.npz").write_bytes(pickle.dumps({"a": Bomb()}, protocol))
    with pytest.raises(RuntimeError, match="pickle" if protocol else "pickle|neither"):
        nt.load(tmp_path / "model.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([Bomb()], object))
    with pytest.raises(RuntimeError, match="objects"):
        nt.load(tmp_path / "objects.npz")
    assert not (tmp_path / "exploded").exists()


def test_checkpoints_of_torch_are_refused_with_the_way_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.writestr("archive/version", "3\n")
    with pytest.raises(RuntimeError, match=r"PyTorch checkpoint.*safetensors.torch.save_file\(torch.load"):
        nt.load(tmp_path / "model.pt")


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    nt.save({}, tmp_path / "a.safetensors")
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    for call in (lambda: nt.save({}, tmp_path / "b.safetensors"), lambda: nt.load(tmp_path / "a.safetensors")):
        with pytest.raises(ImportError, match="pip install safetensors"):
            call()
    assert os.listdir(tmp_path) == ["a.safetensors"]
