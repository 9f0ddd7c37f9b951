"""search_api.pages.search_state: an address and what it asks for are the same thing."""

from __future__ import annotations

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from kb.schema.paging import MAX_DEPTH, MAX_LIMIT
from search_api.pages.search_state import MAX_SHOWN_RESULTS, RESULTS_PER_STEP, SearchState

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
several = st.lists(texts.filter(bool), max_size=3, unique=True).map(tuple)
states = st.builds(
    SearchState,
    question=st.none() | texts,
    shown=st.integers(RESULTS_PER_STEP, MAX_SHOWN_RESULTS),
    offset=st.integers(0, MAX_DEPTH - RESULTS_PER_STEP),
    tag=several,
    source=several,
    exact=st.booleans(),
)


@given(states)
def test_an_address_leads_back_to_the_state_it_was_made_of(state: SearchState) -> None:
    address = urlsplit(state.path(shown=state.shown, offset=state.offset))
    assert address.path == "/"
    assert SearchState.read(QueryParams(address.query)) == state


@given(st.dictionaries(st.sampled_from(["q", "shown", "offset", "tag", "source", "x"]), texts))
def test_whatever_an_address_says_a_search_within_bounds_comes_of_it(
    parameters: dict[str, str],
) -> None:
    state = SearchState.read(QueryParams(parameters))
    assert 1 <= state.request().limit <= MAX_LIMIT
    assert state.offset >= 0
    assert state.offset + state.request().limit <= MAX_DEPTH


def test_going_on_shows_every_result_once() -> None:
    state = SearchState("q")
    reached = 0
    for _ in range(1000):
        assert state.offset <= reached
        reached = state.offset + state.shown
        further = state.more(has_more=True)
        if further is None:
            break
        assert further.endswith(f"#page.result-{reached + 1}")
        state = SearchState.read(QueryParams(urlsplit(further).query))
        assert state.offset + state.shown > reached
    assert reached == MAX_DEPTH
    assert SearchState("q").more(has_more=False) is None


def test_another_filter_begins_at_the_top() -> None:
    state = SearchState("q", shown=30, offset=90, tag=("sleep", "-nerves"))
    assert state.path(tag=None) == "/?q=q"
    expected = "/?q=q&tag=sleep&tag=-nerves&source=nhs.uk"
    assert state.path(source=("nhs.uk",)) == expected
    again = "q=q&tag=sleep&tag=&tag=-nerves&tag=sleep&source=nhs.uk"
    assert SearchState.read(QueryParams(again)).path() == expected
