"""The library under test: numtensor, or PyTorch where ``NUMTENSOR_RULES=torch`` asks for it."""

import importlib
import os
import re

import pytest

NAME = os.environ.get("NUMTENSOR_RULES", "numtensor")
IS_TORCH = NAME == "torch"

nt = importlib.import_module(NAME)

# Key phrases of the errors.
E_VER = "Inference tensors do not track version counter"
E_INP = "Inplace update to inference tensor outside InferenceMode is not allowed"
E_SAVE = "Inference tensors cannot be saved for backward"
E_RG = "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed"
E_MOD = "has been modified by an inplace operation"
E_LEAF = "leaf Variable that requires grad is being used in an in-place operation"
E_VIM = "was created in inference mode and"
E_VNG = "was created in no_grad mode and"
E_NOG = "element 0 of tensors does not require grad and does not have a grad_fn"
E_2ND = "Trying to backward through the graph a second time"


def raises(phrase, kind=RuntimeError):
    """Expect an error that contains `phrase` as it stands."""
    return pytest.raises(kind, match=re.escape(phrase))


def differs(why):
    """Mark a rule in which numtensor differs from PyTorch on purpose: there the test has to fail."""
    return pytest.mark.xfail(IS_TORCH, reason=f"numtensor differs: {why}", strict=True)


def crashes(why):
    """Mark a rule whose test may not run against PyTorch at all."""
    return pytest.mark.skipif(IS_TORCH, reason=f"not run against PyTorch: {why}")


def flags():
    """Return (grad enabled, inference mode enabled)."""
    return nt.is_grad_enabled(), nt.is_inference_mode_enabled()
