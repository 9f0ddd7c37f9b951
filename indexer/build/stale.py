"""Whether an index is up to date with its corpora."""

from __future__ import annotations

from indexer.build.request import BuildRequest
from indexer.corpus.files import distinct
from indexer.corpus.fingerprint import corpus_infos, dates_passed
from indexer.generations.base import fits_model, model_files
from kb.schema.article import today
from kb.schema.errors import CorpusError, IndexFormatMismatch, IndexUnusable
from kb.storage.generation import open_generation, pinned_generation
from kb.storage.sources import Sources


def is_stale(request: BuildRequest) -> bool:
    """Whether this build would change the index, or the live generation is unusable.

    An index whose corpus cannot be read is stale: the build says why. An index that a rollback holds is not stale: only
    a build on purpose leaves a rollback. Raises IndexFormatMismatch if that one is of a format that this program
    cannot read.
    """
    index = request.index
    corpora = distinct(request.corpora)
    try:
        folder, manifest, lease = open_generation(index)
    except IndexFormatMismatch as error:
        if pinned := pinned_generation(index):
            raise IndexFormatMismatch(
                f"{index} was rolled back to {pinned}, which has a format that this program does not read. "
                "`kb build` without --if-stale ends the rollback and builds the index from the corpus."
            ) from error
        return True
    except IndexUnusable:
        return True
    try:
        if pinned_generation(index) == folder.name:
            return False
        sources = Sources.load(folder)
        fits = fits_model(request.model, model_files(request.model), request.precision)
        return (
            not fits(manifest, sources)
            or manifest.corpora != corpus_infos(corpora)
            or dates_passed(sources, manifest.created[:10], today())
        )
    except (IndexUnusable, CorpusError):
        return True
    finally:
        lease.release()
