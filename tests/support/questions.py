"""Questions to the library of `corpus/`, by what comes of them."""

from __future__ import annotations

QUESTION = "why do my legs jerk when I fall asleep"
"""One that is answered."""
EMERGENCY = "crushing chest pain spreading to my arm"
"""One that has a notice."""
NO_ANSWER = "how do I file a tax return"
