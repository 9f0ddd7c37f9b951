"""What makes a build take a tenth of a second: a model that is real in all but its size, and few words."""

from __future__ import annotations

import string
import warnings
from pathlib import Path

ENGLISH = ("the", "cause", "causes", "water", "thing", "nobody", "knows", "comes", "first", "about")


def few_english_words() -> list[str]:
    """In place of English's 83,000, which take most of the time of a small build."""
    return list(ENGLISH)


def make_tiny_model(folder: Path) -> str:
    """Write a BERT of one layer and 16 dimensions that reads letters, its weights random but always the same."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    signs = string.ascii_lowercase + string.digits
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *signs, *(f"##{s}" for s in signs)]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join([*vocabulary, *".,:;-?!'"]) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer, models

        torch.manual_seed(0)
        BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
        config = BertConfig(
            vocab_size=len(vocabulary) + 8,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=256,
        )
        BertModel(config).save_pretrained(folder / "bert")
        words = models.Transformer(str(folder / "bert"), max_seq_length=256)
        modules = [words, models.Pooling(16), models.Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"))
    return str(folder / "model")
