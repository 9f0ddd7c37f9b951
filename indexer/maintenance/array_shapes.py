"""The shapes that the arrays of a generation must have, by the numbers of what the generation holds.

The modules that read the arrays describe them. Here stands only which dimensions are equal, so that `kb check` finds an
array that was written for another library, or by another program, though its bytes are what was written.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from kb.retrieval.phrases import DOCUMENTS
from kb.storage.manifest import Manifest

# The numbers of articles, sections, passages and terms and the model's dimensions are known; any other name is whatever
# the first array with it has. "x+1" is one more than x.
_SHAPES = {
    "passages": "passages",
    "sentences": "sentences",
    "postings/terms": "terms",
    "postings/starts": "terms+1",
    "postings/idf": "terms",
    "postings/passages": "postings",
    "postings/frequencies": "postings 4",
    "postings/impacts": "postings",
    "postings/lengths": "passages 4",
    "wording/words": "wording_words",
    "wording/starts": "passages+1",
    "vectors/passages": "passages dimensions",
    "vectors/codes": "passages dimensions",
    "vectors/code_scales": "passages",
    "vectors/sentences": "sentences dimensions",
    "vectors/sentence_scales": "sentences",
    "vectors/sentence_starts": "passages+1",
    "vectors/names": "names dimensions",
    "vectors/name_scales": "names",
    "vectors/name_starts": "articles+1",
    "vectors/kinds": "sections dimensions",
    "vectors/kind_scales": "sections",
    "vectors/care": "sections",
    "vectors/symptom": "dimensions",
    "vectors/coarse": "passages coarse_bytes",
    "vectors/coarse_columns": "2 coarse_dimensions",
    "names/terms": "name_terms",
    "names/starts": "name_terms+1",
    "names/rows": "name_postings",
    "names/masses": "names",
    "names/articles": "articles+1",
    "spelling/known": "known_words",
    "spelling/stems": "known_stems",
    "spelling/words": "words",
    "spelling/weights": "words",
    "spelling/sounds": "words",
    "spelling/hashes": "hashes",
    "spelling/places": "hashes",
    "spelling/sound_hashes": "sound_hashes",
    "spelling/sound_places": "sound_hashes",
    "spelling/names": "name_words",
    "spelling/pairs": "pairs",
    "suggestions/entries": "entries",
    "suggestions/texts": "entry_bytes",
    "suggestions/text_ends": "entries 3",
    "suggestions/words": "entry_words",
    "suggestions/word_letters": "entry_words",
    "suggestions/word_starts": "entry_words+1",
    "suggestions/word_entries": "word_entries",
    "suggestions/stems": "entry_stems",
    "suggestions/stem_starts": "entry_stems+1",
    "suggestions/stem_entries": "stem_entries",
    "suggestions/slip_hashes": "slips",
    "suggestions/slip_words": "slips",
    "suggestions/slip_letters": "slips",
    "vocabulary/keys": "keys",
    "vocabulary/starts": "keys+1",
    "vocabulary/variants": "variants",
    "vocabulary/ends": "variant_names+1",
    "vocabulary/terms": "variant_bytes",
    "counts/letters": "counted_bytes",
    "counts/ends": "counted_words",
    "counts/texts": "counted_words",
    "counts/names": "counted_words",
    "counts/hashes": "counted_words",
    "counts/stems": "counted_words",
    "counts/text_pairs": "text_pairs",
    "counts/text_pair_counts": "text_pairs",
    "counts/name_pairs": "name_pairs",
    "counts/name_pair_counts": "name_pairs",
}
_ANY = "*"
_LARGE_LIBRARIES_ONLY = ("vectors/coarse", "vectors/coarse_columns")
_DIMENSION = re.compile(r"(?P<fixed>\d+)|(?P<name>[a-z_]+)(?P<more>\+1)?")


def misshapen(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong with the first array that is not there, cannot be loaded, or has a shape that nobody expects.

    Arrays that the table does not know are loaded, and may have any shape.
    """
    counts = manifest.counts
    sizes = {
        "articles": counts.articles,
        "sections": counts.sections,
        "passages": counts.passages,
        "terms": counts.terms,
        "dimensions": manifest.model.dimensions,
    }
    for name in _SHAPES:
        if name not in _LARGE_LIBRARIES_ONLY and f"{name}.npy" not in manifest.files:
            return f"{folder / name}.npy is not there"
    for file in sorted(manifest.files):
        path = folder / file
        if path.suffix != ".npy":
            continue
        try:
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
        except (OSError, ValueError, EOFError) as error:
            return f"{path} cannot be loaded ({type(error).__name__}: {error})"
        expected = _SHAPES.get(file.removesuffix(".npy"))
        if path.name == DOCUMENTS:
            expected = _ANY
        if expected is not None and not _fits(shape, expected, sizes):
            return f"{path} has the shape {shape}, and not ({expected.replace(' ', ', ')})"
    return None


def _fits(shape: tuple[int, ...], expected: str, sizes: dict[str, int]) -> bool:
    """Whether a shape is as expected; a size that is not known yet is known afterwards."""
    dimensions = expected.split(" ")
    if len(shape) != len(dimensions):
        return False
    for size, dimension in zip(shape, dimensions, strict=True):
        if dimension == _ANY:
            continue
        found = _DIMENSION.fullmatch(dimension)
        if found is None:
            raise ValueError(dimension)
        if found["fixed"]:
            wanted = int(found["fixed"])
        else:
            more = 1 if found["more"] else 0
            wanted = sizes.setdefault(found["name"], size - more) + more
        if size != wanted:
            return False
    return True
