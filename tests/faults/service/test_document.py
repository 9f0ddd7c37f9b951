"""Every operation that changes or follows, asked for what the OpenAPI document says that it takes, and for what not"""

from __future__ import annotations

from collections.abc import Callable

from support.library import Library
from support.service import bearer, working


def test_nothing_that_the_document_says_of_changing_is_untrue(
    check_document: Callable[..., None], library: Library
) -> None:
    library.put("article-0", "salted")
    library.build()  # and so its index knows its own corpus, not the copied one's
    (header,) = bearer(library, "search", "articles", "admin").items()
    with working(library):
        check_document(
            library.index,
            *("-H", ": ".join(header)),
            *("--include-path-regex", "^/api/v1/(tasks|upload|import|rebuild|status|articles)"),
            # No schema can say what makes an article: a title in Markdown, sections of different ids, lines of JSON.
            *("--exclude-checks", "positive_data_acceptance,negative_data_rejection"),
        )
