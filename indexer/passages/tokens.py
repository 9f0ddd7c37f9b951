"""Token counts and truncation by a model's tokenizer."""

from __future__ import annotations

from tokenizers import Tokenizer


class TokenCounter:
    """A model's tokenizer as a measure.

    `max_tokens` is what the model's window leaves for a text, special tokens included.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.special_tokens = tokenizer.num_special_tokens_to_add(False)

    def count(self, text: str) -> int:
        """The number of tokens, without special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def fitting(self, text: str, tokens: int) -> int:
        """The end, in code points, of the longest beginning of at most `tokens` tokens; at least 1."""
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        if len(offsets) <= tokens:
            return len(text)
        return max(1, offsets[tokens][0])

    def shorten(self, text: str, tokens: int) -> str:
        """The beginning of `text` that fits."""
        return text[: self.fitting(text, tokens)].rstrip() if text else text
