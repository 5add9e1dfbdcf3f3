"""A user's program, which tests/test_typing.py gives to the type checkers; it is not run.

A line that ends in a request to ignore an error must have that error: the checkers report requests that do nothing.
"""

# pyright: standard, reportUnnecessaryTypeIgnoreComment=true

from collections.abc import AsyncIterator, Callable, Iterator

import numpy as np
from typing_extensions import assert_type

import numtensor as nt
from numtensor import nn, optim
from numtensor.nn import functional as F
from numtensor.utils.data import DataLoader, TensorDataset

# ---------------------------------------------------------------------------------------------------------------------
# Functions, methods and operators from the op table

x = nt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
assert_type(x, nt.Tensor)
assert_type(x * 2, nt.Tensor)
assert_type(2 - x, nt.Tensor)
assert_type(x @ x, nt.Tensor)
assert_type(-x, nt.Tensor)
assert_type(x == 1, nt.Tensor)
assert_type(x[0, :1], nt.Tensor)
assert_type(x + np.ones(2), nt.Tensor)
assert_type(x.sum(dim=0), nt.Tensor)
assert_type(x.sum((0, 1), keepdim=True), nt.Tensor)
assert_type(x.max(), nt.Tensor)
assert_type(x.max(dim=0), nt.return_types.max)
assert_type(nt.max(x, 0).indices, nt.Tensor)
assert_type(nt.max(x, x), nt.Tensor)
assert_type(x.sort(descending=True).values, nt.Tensor)
assert_type(nt.zeros(2, 3), nt.Tensor)
assert_type(nt.zeros((2, 3), dtype=nt.float64), nt.Tensor)
assert_type(nt.zeros(size=(2, 3)), nt.Tensor)
assert_type(nt.arange(0, 1, 0.1), nt.Tensor)
assert_type(nt.randn(2, generator=nt.Generator().manual_seed(0)), nt.Tensor)
assert_type(nt.cat([x, x], dim=1), nt.Tensor)
assert_type(nt.where(x > 0, x, 0.0), nt.Tensor)
assert_type(nt.nonzero(x), nt.Tensor)
assert_type(nt.nonzero(x, as_tuple=True), tuple[nt.Tensor, ...])
assert_type(nt.exp(x, out=nt.empty(2, 2)), nt.Tensor)
assert_type(x.split(1), tuple[nt.Tensor, ...])
assert_type(x.view(-1), nt.Tensor)
assert_type(x.reshape((4, 1)), nt.Tensor)
assert_type(x.permute(1, 0), nt.Tensor)
assert_type(x.add_(1), nt.Tensor)
assert_type(x.uniform_(-1, 1), nt.Tensor)
assert_type(x.float(), nt.Tensor)
assert_type(x.to(nt.float64), nt.Tensor)
assert_type(x.T, nt.Tensor)
assert_type(list(x), list[nt.Tensor])
assert_type(nt.allclose(x, x), bool)
assert_type(nt.pi, float)
x += 1
assert_type(x, nt.Tensor)

nt.zerso(2)  # type: ignore[attr-defined]
x.smu()  # type: ignore[attr-defined]
x.sum(dim="rows")  # type: ignore[arg-type]
x.sum(axis=0)  # type: ignore[call-arg]
nt.cat(3)  # type: ignore[arg-type]
nt.tril(x, diagonal="a")  # type: ignore[arg-type]
x + "a"  # type: ignore[operator]

# ---------------------------------------------------------------------------------------------------------------------
# What a tensor is, and autograd

assert_type(x.shape, nt.Size)
assert_type(x.shape[0], int)
assert_type(x.size(0), int)
assert_type(x.size(), nt.Size)
assert_type(x.dtype, nt.dtype)
assert_type(x.requires_grad, bool)
assert_type(x.grad, nt.Tensor | None)
assert_type(x.requires_grad_(), nt.Tensor)
x.sum().backward()
x.register_hook(lambda grad: grad * 2).remove()
assert_type(nt.autograd.grad(x.sum(), [x]), tuple[nt.Tensor, ...])

x.shape = x.shape  # type: ignore[misc]
x.backward(3)  # type: ignore[arg-type]


class Square(nt.autograd.Function):
    @staticmethod
    def forward(ctx: nt.autograd.function.FunctionCtx, x: nt.Tensor) -> nt.Tensor:
        ctx.save_for_backward(x)
        return x * x


# ---------------------------------------------------------------------------------------------------------------------
# Modules: a call is typed by the module's forward


class Net(nn.Module):
    shift: nt.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.register_buffer("shift", nt.zeros(3))

    def forward(self, x: nt.Tensor, scale: float = 1.0) -> nt.Tensor:
        return self.layer(x) * scale + self.shift


net = Net()
assert_type(net(x, scale=2), nt.Tensor)
assert_type(nn.Linear(2, 3)(x), nt.Tensor)
assert_type(net.layer.weight, nn.Parameter)
assert_type(net.eval(), Net)
assert_type(net.state_dict(), dict[str, nt.Tensor])
model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
assert_type(model(x), nt.Tensor)
assert_type(model[:1], nn.Sequential)
as_function: Callable[[nt.Tensor], nt.Tensor] = model

optimizer = optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99))
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=10)
for inputs, labels in DataLoader(TensorDataset(x, nt.tensor([0, 1])), batch_size=2, shuffle=True):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)(model(inputs), labels)
    assert_type(loss, nt.Tensor)
    assert_type(F.cross_entropy(model(inputs), labels), nt.Tensor)
    loss.backward()
    assert_type(nn.utils.clip_grad_norm_(model.parameters(), 1.0), nt.Tensor)
    optimizer.step()
scheduler.step()
nt.save(model.state_dict(), "weights.npz")

net("x")  # type: ignore[arg-type]
nn.Linear("2", 3)  # type: ignore[arg-type]
optim.SGD(model.parameters(), learning_rate=0.1)  # type: ignore[call-arg]
F.relu(x, inplase=True)  # type: ignore[call-arg]

# ---------------------------------------------------------------------------------------------------------------------
# Mode managers, and the decorated functions, which keep their types

assert_type(nt.no_grad(), nt.no_grad)
assert_type(nt.inference_mode(False), nt.inference_mode)
assert_type(nt.is_grad_enabled(), bool)
with nt.no_grad(), nt.enable_grad(), nt.inference_mode(), nt.set_grad_enabled(False):
    pass


@nt.no_grad
def bare(count: int, text: str = "") -> str:
    return text * count


@nt.no_grad()
def called(count: int, text: str = "") -> str:
    return text * count


@nt.inference_mode
def bare_inference(count: int, text: str = "") -> str:
    return text * count


@nt.inference_mode(mode=False)
def left_inference(count: int, text: str = "") -> str:
    return text * count


@nt.set_grad_enabled(False)
def chosen(count: int, text: str = "") -> str:
    return text * count


@nt.enable_grad
def generated(count: int) -> Iterator[str]:
    yield "" * count


@nt.inference_mode()
async def awaited(count: int) -> str:
    return "" * count


@nt.no_grad
async def stepped(count: int) -> AsyncIterator[str]:
    yield "" * count


class Model:
    @nt.inference_mode
    def bare(self, count: int) -> str:
        return "" * count

    @nt.no_grad()
    def called(self, count: int) -> str:
        return "" * count

    @nt.enable_grad()
    @staticmethod
    def static(count: int) -> str:
        return "" * count

    @nt.inference_mode
    @classmethod
    def of_class(cls, count: int) -> str:
        return "" * count


async def decorated() -> None:
    for function in (bare, called, bare_inference, left_inference, chosen):
        assert_type(function(2, text="a"), str)
    for text in generated(2):
        assert_type(text, str)
    assert_type(await awaited(2), str)
    async for text in stepped(2):
        assert_type(text, str)
    assert_type(Model().bare(2), str)
    assert_type(Model().called(2), str)
    assert_type(Model.static(2), str)
    assert_type(Model.of_class(2), str)
    bare("2")  # type: ignore[arg-type]
    called("2")  # type: ignore[arg-type]
    bare_inference("2")  # type: ignore[arg-type]
    left_inference("2")  # type: ignore[arg-type]
    chosen("2")  # type: ignore[arg-type]
    generated("2")  # type: ignore[arg-type]
    await awaited("2")  # type: ignore[arg-type]
    Model().bare("2")  # type: ignore[arg-type]
    Model.of_class("2")  # type: ignore[arg-type]
    nt.no_grad(3)  # type: ignore[call-overload]
    nt.inference_mode("yes")  # type: ignore[call-overload]
    nt.set_grad_enabled(1)  # type: ignore[arg-type]
