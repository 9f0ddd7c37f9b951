"""A transformers model prepared for export, with each attention as one operator of ONNX Runtime.

Computed by torch's operations an attention is a dozen steps, which move its numbers from one order to another and back.
The runtime's `MultiHeadAttention` is given queries, keys and values as they come and takes 5 % off a passage, and off
a question as much again. transformers lets a model's attention be replaced by a function of that name
(`AttentionInterface`); the one here computes nothing, it stands for the step in what torch exports.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

ATTENTION_OPERATOR = "MultiHeadAttention"
"""The runtime's step: queries, keys, values, two that are never given here, and what is added for the mask."""

_NAME = "kb_joint"
_BY_STEPS = "eager"


@contextmanager
def attention_as_one_step(model: torch.nn.Sequential) -> Iterator[None]:
    """While this lasts a model of sentence-transformers can be exported, and cannot be used.

    Raises what transformers raises for a model whose attention cannot be replaced; one that does not know of it stays
    as it is. Afterwards attention is computed step by step.
    """
    from transformers import AttentionInterface, AttentionMaskInterface  # noqa: PLC0415  (seconds)
    from transformers.masking_utils import eager_mask  # noqa: PLC0415  (as above)

    AttentionInterface.register(_NAME, _stand_in)
    AttentionMaskInterface.register(_NAME, eager_mask)
    _choose(model, _NAME)
    try:
        yield
    finally:
        attention_by_steps(model)


def attention_by_steps(model: torch.nn.Sequential) -> None:
    """Have attention computed step by step: the export of torch's own form of it has twice as many nodes."""
    _choose(model, _BY_STEPS)


def _choose(model: torch.nn.Sequential, attention: str) -> None:
    choose = getattr(getattr(model[0], "auto_model", None), "set_attn_implementation", None)
    if choose is not None:
        choose(attention)


def _stand_in(
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_options: Any,
) -> tuple[torch.Tensor, None]:
    """The step on tensors of (texts, heads, tokens, size); its result is (texts, tokens, heads, size).

    Where several heads share a key and a value, each gets them. Options that change what comes out, which a few models
    have, are not looked at: the vectors of the export tell.
    """
    import torch  # noqa: PLC0415  (as above)

    texts, heads, tokens, _ = query.shape

    def flat(tensor: torch.Tensor) -> torch.Tensor:
        shared = heads // tensor.shape[1]
        each = tensor.repeat_interleave(shared, dim=1) if shared > 1 else tensor
        return each.transpose(1, 2).reshape(texts, tensor.shape[2], heads * tensor.shape[3])

    given = [flat(query), flat(key), flat(value)]
    size = value.shape[3]
    settings: dict[str, Any] = {"num_heads": heads}
    if scaling is not None:
        settings["scale"] = float(scaling)
    joint = torch.onnx.ops.symbolic(
        f"com.microsoft::{ATTENTION_OPERATOR}",
        given if attention_mask is None else [*given, None, None, attention_mask],
        attrs=settings,
        dtype=query.dtype,
        shape=(texts, tokens, heads * size),
        version=1,
    )
    return joint.reshape(texts, tokens, heads, size), None
