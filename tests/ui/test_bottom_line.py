"""What the bottom line says of a cache that has expired."""

from decimal import Decimal

from fake_session import FakeStatus

from agentcli.llm.budget import Rewrite
from agentcli.ui.repl.status import bottom_line


def line(**facts):
    return bottom_line(FakeStatus(**facts), 200, 1000.0)


def test_an_expired_cache_is_told_with_both_prices_as_far_as_they_are_known():
    rewrite = Rewrite(67_200, Decimal("0.168"), Decimal("0.16"))
    assert " · cache expired: 67.2k anew $0.1680 · " in line(rewrite=rewrite)
    both = "cache expired: 67.2k anew $0.1680, with /compact $0.1727 · "
    assert both in line(rewrite=rewrite, with_summary=Decimal("0.1727"))
    assert " · cache expired: 67.2k anew · " in line(rewrite=Rewrite(67_200, None, None))


def test_in_a_narrow_terminal_it_is_the_last_to_go():
    facts = FakeStatus(
        model="claude-sonnet-5-5",
        rewrite=Rewrite(67_200, Decimal("0.168"), Decimal("0.16")),
        with_summary=Decimal("0.1727"),
    )
    assert "with /compact $0.1727" in bottom_line(facts, 79, 1000.0)
