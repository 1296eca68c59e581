"""How hard to think, in the words a vendor has."""

from __future__ import annotations

from typing import cast, get_args

from agentcli.llm.types import Effort

SCALE = get_args(Effort)
USUAL = SCALE.index("high")


def nearest(effort: Effort, words: tuple[str, ...]) -> str:
    """The word nearest on the scale; of two, the one nearer to the usual."""

    def distance(word: str) -> tuple[int, int]:
        place = SCALE.index(cast("Effort", word))
        return abs(place - SCALE.index(effort)), abs(place - USUAL)

    return min(words, key=distance)
