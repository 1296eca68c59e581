"""What the bottom line says of a cache that has expired."""

from decimal import Decimal

from fake_session import FakeStatus

from agentcli.llm.budget import Rewrite
from agentcli.ui.repl.status import bottom_line


def line(**facts):
    return bottom_line(FakeStatus(**facts), 200, 1000.0)


def test_an_expired_cache_is_told_with_both_prices_as_far_as_they_are_known():
    rewrite = Rewrite(67_200, Decimal("0.168"), Decimal("0.16"))
    assert line(rewrite=rewrite).endswith("cache expired: 67.2k anew for $0.1680")
    assert line(rewrite=rewrite, with_summary=Decimal("0.1727")).endswith(
        "cache expired: 67.2k anew for $0.1680, with /compact $0.1727"
    )
    assert line(rewrite=Rewrite(67_200, None, None)).endswith("cache expired: 67.2k anew")
