import pytest

from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ConnectionFailed,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
    StreamCut,
    StreamMalformed,
)
from agentcli.llm.retry import duration, next_delay, retry_after, spoken


def delay(error, attempt=1, rng=0.0, **options):
    return next_delay(error, attempt, rng=lambda: rng, **options)


def test_waits_double_up_to_half_a_minute():
    waits = [delay(Overloaded("x"), attempt, attempts=20) for attempt in range(1, 9)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert delay(Overloaded("x"), 10_000, attempts=20_000) == 30


def test_jitter_takes_up_to_a_quarter_off():
    assert delay(Overloaded("x"), 3, rng=1.0) == 1.5


@pytest.mark.parametrize(
    "kind", [Overloaded, RateLimited, ServerFailed, ConnectionFailed, StreamCut, StreamMalformed]
)
def test_what_may_pass_is_tried_five_times(kind):
    assert [delay(kind("x"), n) is not None for n in range(1, 7)] == [True] * 4 + [False] * 2
    assert delay(kind("x"), 1, attempts=1) is None


@pytest.mark.parametrize("kind", [BadRequest, AuthFailed, QuotaExceeded])
def test_what_stays_wrong_is_not_tried_again(kind):
    assert delay(kind("x", retry_after=1)) is None


def test_the_server_says_how_long():
    assert delay(RateLimited("x", retry_after=7.5), rng=1.0) == 7.5
    assert delay(RateLimited("x", retry_after=0)) == 0
    assert delay(RateLimited("x", retry_after=60)) == 60
    assert delay(RateLimited("x", retry_after=61)) is None
    assert delay(RateLimited("x", retry_after=61), limit=120) == 61


NOW = {"date": "Tue, 24 Nov 2026 10:00:00 GMT"}
INFO = {"details": [{"@type": "x.ErrorInfo"}, {"@type": "x.RetryInfo", "retryDelay": "37s"}]}


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        ({}, {}, None),
        ({"retry-after": "12"}, {}, 12),
        ({"retry-after": "0.5"}, {}, 0.5),
        ({"retry-after": "-3"}, {}, 0),
        ({"retry-after": "nan"}, {}, None),
        ({"retry-after": "inf"}, {}, None),
        ({"retry-after": "soon"}, {}, None),
        ({"retry-after": "Tue, 24 Nov 2026 10:01:30 GMT"} | NOW, {}, 90),
        ({"retry-after": "Tue, 24 Nov 2026 09:00:00 GMT"} | NOW, {}, 0),
        ({"retry-after": "Tue, 24 Nov 2026 10:01:30 GMT"}, {}, 60),
        ({"retry-after": "Tue, 24 Nov 2026 10:01:30 GMT", "date": "today"}, {}, None),
        ({"llm_provider-retry-after": "8"}, {}, 8),
        ({"retry-after": "2", "llm_provider-retry-after": "8"}, {}, 2),
        ({"retry-after-ms": "1500", "retry-after": "9"}, {}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, {}, 9),
        ({}, INFO, 37),
        ({"retry-after": "2"}, INFO, 2),
        ({"x-ratelimit-reset-tokens": "9s"}, INFO, 37),
        ({}, {"details": {"retryDelay": "37s"}}, None),
        ({"x-ratelimit-reset-requests": "17ms", "x-ratelimit-reset-tokens": "6m0s"}, {}, 0.017),
        (
            {
                "x-ratelimit-reset-requests": "17ms",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "0",
            },
            {},
            360,
        ),
        ({"x-ratelimit-reset-requests": "1795514400"}, {}, None),
    ],
)
def test_how_servers_say_how_long(headers, error, seconds):
    assert retry_after(headers, error, 429, now=lambda: 1795514430) == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 6m0s. Visit", 360),
        ("Please try again in 20s.", 20),
        ("Please try again in 150ms. Visit", 0.15),
        ("No deployments available for selected model, Try again in 5 seconds. Passed", 5),
        ("Usage limit reached: try again in 3 hours", 10_800),
        ("Limit reached, retry after 1 hour 30 minutes", 5400),
        ("Your limit resets in 2 days", 172_800),
        ("try again in a while", None),
        ("try again in 5 attempts", None),
        ("", None),
    ],
)
def test_a_wait_that_only_the_message_names(message, seconds):
    assert retry_after({}, {}, 429, message=message) == seconds
    assert retry_after({"retry-after": "1"}, {}, 429, message=message) == 1


def test_a_failure_that_one_more_try_may_mend_is_tried_once_more():
    error = ServerFailed("x")
    error.tries = 2
    assert [delay(error, attempt) is not None for attempt in (1, 2, 3)] == [True, False, False]


def test_a_limit_that_refills_has_nothing_to_do_with_a_broken_server():
    assert retry_after({"x-ratelimit-reset-tokens": "6m0s"}, {}, 500) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h2m3.5s", 3723.5),
        ("17ms", 0.017),
        ("37s", 37),
        ("12.5", 12.5),
        ("1d", 86400),
        ("", None),
        ("6m x", None),
        ("2026-11-24T10:00:00Z", None),
        ("-1", None),
        ("nan", None),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


def test_a_wait_in_words():
    assert [spoken(s) for s in (7.4, 89, 360, 18_000)] == ["7 s", "89 s", "6 min", "5 h"]
