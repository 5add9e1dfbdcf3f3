"""``numtensor demo``: from data to a served classifier in a minute.

Trains ``Sequential(Linear, ReLU, Linear)`` on handwritten digits with Adam and cross-entropy, predicts under
inference mode, and shows what the three modes cost beside plain NumPy and, if it is installed, PyTorch.
"""

import gc
import importlib.util
import sys
from pathlib import Path

import numpy as np

import numtensor as nt
from numtensor import nn, optim
from numtensor.nn import functional
from numtensor.utils.data import DataLoader, TensorDataset

from ..bench.timing import Timed, medians, rounds_of

NEEDED = ("matplotlib", "safetensors", "sklearn", "tqdm")
HIDDEN = 256
CLASSES = 10
LEARNING_RATE = 2e-3
BATCH = 64


def add_arguments(parser):
    """Add this command's arguments to its parser."""
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training data (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the shuffling (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("numtensor-demo"), help="folder for the results (default: ./%(default)s)"
    )
    parser.add_argument("--no-timing", action="store_true", help="train and predict only")


def run(arguments):
    """Run the command."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f'demo: {", ".join(missing)} missing; install the extra: pip install ".[demo]"', file=sys.stderr)
        return 1
    arguments.output.mkdir(parents=True, exist_ok=True)
    nt.manual_seed(arguments.seed)
    train, test = load_digits()
    model = nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    train_model(model, train, arguments.epochs)

    model.eval()
    images, labels = test
    with nt.inference_mode():
        predicted = nt.argmax(model(images), dim=1)
    accuracy = float((predicted == labels).to(nt.float32).mean())
    print(f"test accuracy: {accuracy:.2%} of {len(labels)} held-out digits")

    weights = arguments.output / "digits.safetensors"
    nt.save(model.state_dict(), weights)
    picture = arguments.output / "confusion.png"
    save_confusion(labels.numpy(), predicted.numpy(), accuracy, picture)
    print(f"weights: {weights.resolve()}")
    print(f"confusion picture: {picture.resolve()}")
    if not arguments.no_timing:
        print_timing(model, images)
        print_allocations()
    return 0


def load_digits():
    """Return ((images, labels) to train on, (images, labels) held out): scikit-learn's digits, a quarter held out."""
    from sklearn.datasets import load_digits as load
    from sklearn.model_selection import train_test_split

    images, labels = load(return_X_y=True)
    images = (images / 16.0).astype(np.float32)
    parts = train_test_split(images, labels.astype(np.int64), test_size=0.25, random_state=0, stratify=labels)
    train_images, test_images, train_labels, test_labels = map(nt.from_numpy, parts)
    return (train_images, train_labels), (test_images, test_labels)


def train_model(model, train, epochs):
    """Train with Adam and cross-entropy under a progress bar."""
    from tqdm import tqdm

    loader = DataLoader(TensorDataset(*train), batch_size=BATCH, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=LEARNING_RATE)
    with tqdm(total=epochs * len(loader), desc="training", unit="step") as bar:
        for epoch in range(epochs):
            for images, labels in loader:
                optimizer.zero_grad()
                loss = functional.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
                bar.update()
            bar.set_postfix(epoch=epoch + 1, loss=f"{loss.item():.4f}")


def save_confusion(labels, predicted, accuracy, path):
    """Save a picture of how often each digit was taken for each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, predicted), 1)
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Blues")
    for row in range(CLASSES):
        for column in range(CLASSES):
            if counts[row, column]:
                dark = counts[row, column] > counts.max() / 2
                axes.text(column, row, counts[row, column], ha="center", va="center", color="w" if dark else "k")
    axes.set(
        xticks=range(CLASSES),
        yticks=range(CLASSES),
        xlabel="predicted digit",
        ylabel="true digit",
        title=f"Held-out digits: {accuracy:.2%} right",
    )
    figure.savefig(path, dpi=120)


def print_timing(model, images):
    """Print the time of one prediction in each mode, beside NumPy's and PyTorch's."""
    image = nt.from_numpy(images.numpy()[:1].copy())
    state = {name: value.numpy() for name, value in model.state_dict().items()}

    def in_mode(manager, module, argument):
        def call():
            with manager():
                return module(argument)

        return call

    def numpy_call():
        hidden = np.maximum(image.numpy() @ state["0.weight"].T + state["0.bias"], 0)
        return hidden @ state["2.weight"].T + state["2.bias"]

    contestants = {
        "numtensor, inference_mode": in_mode(nt.inference_mode, model, image),
        "numtensor, no_grad": in_mode(nt.no_grad, model, image),
        "numtensor, tracked": in_mode(nt.enable_grad, model, image),
        "NumPy": numpy_call,
    }
    contestants |= _torch_contestants(image.numpy(), state, in_mode)
    results = {name: np.asarray(_plain(call())) for name, call in contestants.items()}
    for name, result in results.items():
        if not np.allclose(result, results["NumPy"], rtol=1e-4, atol=1e-5):
            raise RuntimeError(f"demo: {name} does not give NumPy's result; its time would mean nothing")
    times = medians(rounds_of({name: Timed.of(call) for name, call in contestants.items()}))
    print(f"\none prediction of the 64-{HIDDEN}-{CLASSES} network, medians of interleaved rounds:")
    for name, seconds in times.items():
        print(f"  {name:28s} {seconds * 1e6:8.1f} us   {seconds / times['NumPy']:5.2f} x NumPy")


def _plain(result):
    return result.detach().numpy() if hasattr(result, "detach") else result


def _torch_contestants(image, state, in_mode):
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    module = torch.nn.Sequential(
        torch.nn.Linear(64, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES)
    ).eval()
    module.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in state.items()})
    argument = torch.from_numpy(image.copy())
    return {
        "PyTorch, inference_mode": in_mode(torch.inference_mode, module, argument),
        "PyTorch, no_grad": in_mode(torch.no_grad, module, argument),
        "PyTorch, tracked": in_mode(torch.enable_grad, module, argument),
    }


def print_allocations():
    """Print how many Python objects one op leaves behind in each mode."""
    print("\nPython objects that one x * y leaves behind:")
    x, y = nt.ones(10, requires_grad=True), nt.ones(10)
    for name, manager in (("inference_mode", nt.inference_mode), ("no_grad", nt.no_grad), ("tracked", nt.enable_grad)):
        with manager():
            kinds = objects_of_one_op(lambda: x * y)
        print(f"  {name:15s} {sum(kinds.values())}: {', '.join(kinds)}")


def objects_of_one_op(call, repeats=64):
    """Return what kinds of Python objects one call leaves behind, and how many of each.

    The results of several calls are held, and what the collector and the results show beyond before is counted.
    """
    call()
    gc.collect()
    gc.disable()
    try:
        before = _count_by_kind()
        held = [None] * repeats
        for position in range(repeats):
            held[position] = call()
        after = _count_by_kind()
        # Arrays are not known to the collector: each result has its own.
        kinds = {"ndarray": len({id(result._array) for result in held}) // repeats}
    finally:
        gc.enable()
    for kind, count in after.items():
        more = round((count - before.get(kind, 0)) / repeats)
        if more:
            kinds[kind] = more
    return kinds


def _count_by_kind():
    counts = {}
    for found in gc.get_objects():
        name = type(found).__name__
        counts[name] = counts.get(name, 0) + 1
    return counts
