import json

import pytest

from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    ModelFailed,
    ModelNotFound,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
    WrongEndpoint,
)
from agentcli.llm.retry import next_delay
from agentcli.llm.status import error_from, error_from_event
from agentcli.llm.verdict import OVERFLOW_WORDS

URL = "https://user:pw@api.example/v1/messages"


def error(status, body=b"", headers=None, wire="anthropic", url=URL):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from(status, headers or {}, raw, provider="acme", model="m-1", wire=wire, url=url)


def claude(kind, message="no", **details):
    inner = {"type": kind, "message": message} | ({"details": details} if details else {})
    return {"type": "error", "error": inner, "request_id": "req_body"}


def openai(message="no", kind=None, code=None):
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def google(status, message="no", *details):
    return {"error": {"code": 1, "message": message, "status": status, "details": list(details)}}


INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}


def quota(name):
    return {"@type": "…QuotaFailure", "violations": [{"quotaId": name}]}


PLAN = "You exceeded your current quota, please check your plan and billing details."
MISSING = "The model `gpt-9` does not exist or you do not have access to it."
WRAPPED = (
    'litellm.InternalServerError: AnthropicException - {"type":"error","error":'
    '{"type":"overloaded_error","message":"Overloaded"}}. Received Model Group=sonnet'
)

ANTHROPIC = [
    (400, claude("invalid_request_error"), BadRequest),
    (
        400,
        claude("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
        ContextOverflow,
    ),
    (
        400,
        claude("invalid_request_error", "You have reached your specified API usage limits."),
        QuotaExceeded,
    ),
    (
        400,
        claude("invalid_request_error", "Your credit balance is too low to access"),
        QuotaExceeded,
    ),
    (401, claude("authentication_error"), AuthFailed),
    (402, claude("billing_error"), QuotaExceeded),
    (403, claude("permission_error"), AuthFailed),
    (404, claude("not_found_error", "model: claude-opus-9"), ModelNotFound),
    (404, claude("not_found_error", "Not found"), WrongEndpoint),
    (408, b"", ServerFailed),
    (409, claude("conflict_error"), ServerFailed),
    (413, claude("request_too_large"), ContextOverflow),
    (413, b"<html><title>413</title></html>", ContextOverflow),
    (429, claude("rate_limit_error"), RateLimited),
    (429, claude("rate_limit_error", error_code="ramp_limit_exceeded"), RateLimited),
    (429, claude("rate_limit_error", error_code="enforced_spend_limit_reached"), QuotaExceeded),
    (429, claude("rate_limit_error", error_code="contract_spend_limit_reached"), QuotaExceeded),
    (499, b"", ServerFailed),
    (500, claude("api_error"), ServerFailed),
    (501, claude("api_error"), ServerFailed),
    (502, claude("api_error"), ServerFailed),
    (503, claude("api_error"), Overloaded),
    (504, claude("timeout_error"), ServerFailed),
    (520, b"", ServerFailed),
    (524, b"", ServerFailed),
    (529, claude("overloaded_error", "Overloaded"), Overloaded),
]
OPENAI = [
    (400, openai("Your input exceeds the context window of this model"), ContextOverflow),
    (400, openai(code="context_length_exceeded"), ContextOverflow),
    (400, openai(kind="invalid_request_error", code="unsupported_parameter"), BadRequest),
    (400, openai(kind="invalid_request_error", code="invalid_prompt"), BadRequest),
    (400, openai("The requested model 'x' does not exist."), ModelNotFound),
    (400, openai("filtered", code="content_filter"), BadRequest),
    (401, openai(code="invalid_api_key"), AuthFailed),
    (403, openai(code="unsupported_country_region_territory"), AuthFailed),
    (404, openai(MISSING, "invalid_request_error", "model_not_found"), ModelNotFound),
    (404, openai("Invalid URL (POST /v1/x)", "invalid_request_error"), WrongEndpoint),
    (413, openai(), ContextOverflow),
    (422, openai(), BadRequest),
    (429, openai(kind="requests", code="rate_limit_exceeded"), RateLimited),
    (429, openai("Slow down", code="slow_down"), RateLimited),
    (503, openai("Slow down", code="slow_down"), RateLimited),
    (429, openai(PLAN, "insufficient_quota", "insufficient_quota"), QuotaExceeded),
    (429, openai(kind="insufficient_quota", code="credit_balance_exhausted"), QuotaExceeded),
    (429, openai(code="organization_spend_limit_exceeded"), QuotaExceeded),
    (429, openai(code="project_spend_limit_exceeded"), QuotaExceeded),
    (429, openai(code="organization_usage_limit_exceeded"), QuotaExceeded),
    (429, openai(code="billing_hard_limit_reached"), QuotaExceeded),
    (
        429,
        openai(
            "Request too large for gpt-5 on tokens per min (TPM)", "tokens", "rate_limit_exceeded"
        ),
        ContextOverflow,
    ),
    (429, openai("Limit reached: tokens per min; token limit exceeded", "tokens"), RateLimited),
    (400, openai(code="string_above_max_length"), BadRequest),
    (401, openai("no", "invalid_request_error"), AuthFailed),
    (403, openai("Project does not have access to model x", "invalid_request_error"), AuthFailed),
    (403, openai("Your organization must be verified to use x"), AuthFailed),
    (429, openai("Slow down", "rate_limit_error"), RateLimited),
    (502, openai("bad gateway"), ServerFailed),
    (503, openai("unavailable"), Overloaded),
    (500, openai(kind="server_error"), ServerFailed),
    (503, openai("The engine is currently overloaded"), Overloaded),
]
OTHERS = [
    (
        400,
        google("INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"),
        ContextOverflow,
    ),
    (
        400,
        google("INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"}),
        AuthFailed,
    ),
    (400, google("FAILED_PRECONDITION"), BadRequest),
    (401, google("UNAUTHENTICATED"), AuthFailed),
    (402, google("RESOURCE_EXHAUSTED"), QuotaExceeded),
    (403, google("PERMISSION_DENIED"), AuthFailed),
    (404, google("NOT_FOUND", "models/x is not found for API version v1beta"), ModelNotFound),
    (429, google("RESOURCE_EXHAUSTED", PLAN, quota("RequestsPerMinute"), INFO), RateLimited),
    (429, [google("RESOURCE_EXHAUSTED", PLAN, quota("RequestsPerMinute"), INFO)], RateLimited),
    (
        429,
        google("RESOURCE_EXHAUSTED", PLAN, quota("GenerateRequestsPerDayPerProject"), INFO),
        QuotaExceeded,
    ),
    (429, google("RESOURCE_EXHAUSTED", PLAN), QuotaExceeded),
    (499, google("CANCELLED"), ServerFailed),
    (408, google("x"), ServerFailed),
    (500, google("INTERNAL"), ServerFailed),
    (503, google("UNAVAILABLE", "The model is overloaded."), Overloaded),
    (504, google("DEADLINE_EXCEEDED"), ServerFailed),
    (402, {"error": {"code": 402, "message": "no credits"}}, QuotaExceeded),
    (
        402,
        {"error": {"message": "x", "metadata": {"reason": "in_flight_budget_exhausted"}}},
        RateLimited,
    ),
    (403, {"error": {"message": "x", "metadata": {"reasons": ["violence"]}}}, BadRequest),
    (404, {"error": {"message": "No endpoints found for x/y."}}, ModelNotFound),
    (429, {"error": {"type": "exceeded_current_quota_error", "message": "x"}}, QuotaExceeded),
    (429, {"error": {"type": "engine_overloaded_error", "message": "x"}}, Overloaded),
    (429, {"error": {"type": "rate_limit_reached_error", "message": "x"}}, RateLimited),
    (
        403,
        {"error": {"type": "x", "message": "Insufficient balance in your account"}},
        QuotaExceeded,
    ),
    (429, {"error": {"code": "1302", "message": "x"}}, RateLimited),
    (429, {"error": {"code": "1312", "message": "x"}}, Overloaded),
    (429, {"error": {"code": "1113", "message": "x"}}, QuotaExceeded),
    (429, {"error": {"code": "1310", "message": "x"}}, QuotaExceeded),
    (400, {"error": {"code": "1261", "message": "x"}}, ContextOverflow),
    (400, {"error": {"code": "1211", "message": "x"}}, ModelNotFound),
    (400, {"error": {"code": "1301", "message": "x"}}, BadRequest),
    (400, {"error": {"code": "Arrearage", "message": "x"}}, QuotaExceeded),
    (429, {"error": {"code": "Throttling.RateQuota", "message": "x"}}, RateLimited),
    (429, {"object": "error", "message": "capacity", "type": "x", "code": "3505"}, Overloaded),
    (429, {"message": "Requests rate limit exceeded"}, RateLimited),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, BadRequest),
    (
        400,
        {"code": "x", "error": "Incorrect API key provided: xai-abcdefghijklmnopqrst"},
        AuthFailed,
    ),
    (
        404,
        {"object": "error", "message": "The model `x` does not exist.", "code": 404},
        ModelNotFound,
    ),
    (404, {"error": {"message": 'model "x" not found, try pulling it first'}}, ModelNotFound),
    (404, b"404 page not found", WrongEndpoint),
    (404, {"detail": "Not Found"}, WrongEndpoint),
    (405, {"detail": "Method Not Allowed"}, WrongEndpoint),
    (
        503,
        {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}},
        Overloaded,
    ),
    (
        400,
        {"error": {"type": "exceed_context_size_error", "message": "x", "n_ctx": 8}},
        ContextOverflow,
    ),
    (500, {"error": {"message": "the context size has been exceeded"}}, ContextOverflow),
    (400, {"error": {"message": "auto tool choice requires --enable"}}, BadRequest),
    (
        400,
        {"error": {"message": "Budget has been exceeded! Spend=2", "type": "budget_exceeded"}},
        QuotaExceeded,
    ),
    (400, {"error": {"message": "Invalid model name passed in model=x"}}, ModelNotFound),
    (500, {"error": {"message": WRAPPED, "type": None, "code": "500"}}, Overloaded),
    *((429, {"error": {"code": code, "message": "x"}}, RateLimited) for code in ("1303", "1305")),
    *(
        (429, {"error": {"code": code, "message": "x"}}, QuotaExceeded)
        for code in ("1304", "1308", "1309", "1311", "1313")
    ),
    (500, {"error": {"code": "1234", "message": "network error"}}, ServerFailed),
    (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error"}}, QuotaExceeded),
    (415, {"code": "Unsupported Media Type", "error": "Expected JSON"}, BadRequest),
    (422, {"code": "invalid", "error": "bad parameter"}, BadRequest),
    (429, {"code": "Some resource has been exhausted", "error": "slow"}, RateLimited),
    (413, {"error": {"message": "TPM", "code": "rate_limit_exceeded"}}, ContextOverflow),
    (413, {"error": {"message": "Request too large", "type": "tokens"}}, ContextOverflow),
    (400, {"error": {"type": "content_filter", "message": "x"}}, BadRequest),
    (403, {"error": {"type": "permission_denied_error", "message": "x"}}, AuthFailed),
    (400, {"error": {"code": "data_inspection_failed", "message": "x"}}, BadRequest),
    (429, {"error": {"code": "limit_requests", "message": "x"}}, RateLimited),
    (429, {"error": {"code": "insufficient_quota", "message": "x"}}, QuotaExceeded),
    (408, {"error": {"code": 408, "message": "timed out"}}, ServerFailed),
    (502, {"error": {"code": 502, "message": "Provider returned error"}}, ServerFailed),
    (503, {"error": {"code": 503, "message": "no provider meets"}}, Overloaded),
    (429, {"error": {"message": "Budget exceeded", "type": "budget_exceeded"}}, QuotaExceeded),
    (429, {"error": {"message": "No deployments available for selected model"}}, RateLimited),
    (429, {"error": {"message": "No deployments available - crossed budget"}}, QuotaExceeded),
    (400, {"object": "error", "message": "maximum context length is 8 tokens"}, ContextOverflow),
    (498, {"error": {"message": "capacity"}}, Overloaded),
    (424, {"message": "x"}, ServerFailed),
    (400, {"error": {"message": "no", "code": "tool_use_failed"}}, ModelFailed),
    (425, b"", ServerFailed),
    (407, b"", AuthFailed),
]
RETRIED = (RateLimited, Overloaded, ServerFailed, ModelFailed)


@pytest.mark.parametrize("words", OVERFLOW_WORDS)
def test_every_word_for_too_long(words):
    said = f"Sorry: {words.upper()} (8 > 7)"
    assert type(error(400, openai(said))) is ContextOverflow
    assert type(error_from_event({"message": said}, provider="", model="")) is ContextOverflow


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        ("anthropic", b"", ServerFailed),
        ("openai", openai(), ServerFailed),
        ("groq", openai(), BadRequest),
        ("mycorp", claude("conflict_error"), ServerFailed),
    ],
)
def test_a_conflict_passes_at_two_makers_only(provider, body, kind):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = error_from(409, {}, raw, provider=provider, model="m")
    assert (type(found), found.retryable) == (kind, kind is ServerFailed)


@pytest.mark.parametrize("status", [500, 501, 502, 504, 520, 521, 522, 523, 524, 408, 425, 499])
def test_a_bare_status_that_may_pass(status):
    found = error(status)
    assert type(found) is ServerFailed
    assert next_delay(found, 4, rng=lambda: 0.0) == 4


def test_what_a_model_got_wrong_is_tried_once_more():
    groq = openai("Failed to call a function.", code="tool_use_failed")
    amazon = {"x-amzn-errortype": "ModelErrorException:x"}
    for found in (error(400, groq), error(424, {"message": "x"}, amazon)):
        assert [next_delay(found, n, rng=lambda: 0.0) for n in (1, 2)] == [0.5, None]
    refused = {"message": "x", "originalStatusCode": 400}
    found = error(424, refused, {"x-amzn-errortype": "ModelStreamErrorException:x"})
    assert (type(found), found.retryable) == (BadRequest, False)


@pytest.mark.parametrize(("status", "body", "kind"), [*ANTHROPIC, *OPENAI, *OTHERS])
def test_what_each_provider_means(status, body, kind):
    found = error(status, body)
    assert type(found) is kind
    assert found.retryable is (kind in RETRIED)
    assert (found.status, found.provider, found.model) == (status, "acme", "m-1")


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (400, "ValidationException", "Input is too long for requested model", ContextOverflow),
        (400, "ValidationException", "on-demand throughput isn't supported", BadRequest),
        (400, "ServiceQuotaExceededException", "x", QuotaExceeded),
        (403, "AccessDeniedException", "x", AuthFailed),
        (403, "ExpiredTokenException", "x", AuthFailed),
        (403, "UnrecognizedClientException", "x", AuthFailed),
        (400, "ValidationException", "prompt is too long: 9 tokens > 8 maximum", ContextOverflow),
        (404, "ResourceNotFoundException", "x", ModelNotFound),
        (424, "ModelStreamErrorException", "x", ModelFailed),
        (408, "ModelTimeoutException", "x", ServerFailed),
        (424, "ModelErrorException", "x", ModelFailed),
        (429, "ThrottlingException", "Too many tokens, please wait", RateLimited),
        (429, "ThrottlingException", "Too many tokens per day", QuotaExceeded),
        (429, "ModelNotReadyException", "x", Overloaded),
        (500, "InternalServerException", "x", ServerFailed),
        (503, "ServiceUnavailableException", "x", Overloaded),
    ],
)
def test_amazon_names_the_error_in_a_header(status, name, message, kind):
    headers = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/", "x-amzn-requestid": "r"}
    found = error(status, {"message": message}, headers)
    assert (type(found), found.request_id, found.code) == (kind, "r", name.lower())


def test_the_sentence_names_everything_a_person_needs():
    found = error(529, claude("overloaded_error", "Overloaded"), {"request-id": "req_1"})
    assert str(found) == (
        "acme/m-1: the service is overloaded: Overloaded (HTTP 529, request req_1)"
    )


def test_anthropics_own_429_without_a_time_is_a_spend_limit():
    own = {"anthropic-organization-id": "org"}
    assert type(error(429, claude("rate_limit_error"), own)) is QuotaExceeded
    assert type(error(429, claude("rate_limit_error"), own | {"retry-after": "3"})) is RateLimited


def test_the_servers_advice_comes_first():
    assert error(529, b"", {"x-should-retry": "false"}).retryable is False
    assert error(400, b"", {"x-should-retry": "true"}).retryable is True
    assert error(529, b"", {"x-should-retry": "maybe"}).retryable is True


def test_a_wait_is_told():
    found = error(429, openai("slow"), {"retry-after": "360"})
    assert found.retry_after == 360
    assert "it asks to wait 6 min" in str(found)
    assert error(429, google("RESOURCE_EXHAUSTED", "x", quota("PerMinute"), INFO)).retry_after == 37


@pytest.mark.parametrize(
    "header",
    ["request-id", "x-request-id", "apim-request-id", "x-amzn-requestid", "cf-ray"],
)
def test_request_ids(header):
    assert error(500, b"", {header: "r-1"}).request_id == "r-1"
    assert error(500, claude("api_error")).request_id == "req_body"


PAGE = b"""<!DOCTYPE html><html><head>
<title>Access  denied &amp;
 blocked | corp-proxy</title></head><body>%s</body></html>"""


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (403, BadRequest),
        (404, BadRequest),
        (401, AuthFailed),
        (429, RateLimited),
        (500, ServerFailed),
        (502, ServerFailed),
        (503, ServerFailed),
    ],
)
def test_a_proxys_page_is_one_sentence_with_host_and_title(status, kind):
    found = error(status, PAGE % (b"x" * 50_000), {"content-type": "text/html"})
    assert type(found) is kind
    assert "api.example answered with a web page" in str(found)
    assert "“Access denied & blocked | corp-proxy”" in str(found)
    assert "pw" not in str(found)
    assert len(str(found)) < 250
    assert "\n" not in str(found)


def test_pages_without_a_title():
    assert "“Bad Gateway”" in str(error(502, b"<html><h1>Bad Gateway</h1></html>"))
    assert "a page without a title" in str(error(502, b"<html></html>"))


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"\x00\x01\x02\xff\xfe" * 50, b"{}", b"[]", b"null", b'"', b"[" * 5000]
)
def test_bodies_that_say_nothing(body):
    found = error(500, body)
    assert type(found) is ServerFailed
    assert "no reason that can be read" in str(found)


def test_plain_text_is_shown_on_one_line_without_control_characters_or_keys():
    body = b"upstream\n\x1b[31mfailed\x1b[0m for sk-abcdefghijklmnopqrst " + b"x" * 900
    said = str(error(502, body))
    assert "upstream [31mfailed [0m for ***qrst" in said
    assert "\x1b" not in said
    assert len(said) < 500


def test_a_wrong_endpoint_says_which_path_was_tried():
    said = str(
        error(404, b"404 page not found", wire="openai-responses", url="http://h:1/v1/responses")
    )
    assert "knows no POST /v1/responses (404 page not found)" in said
    assert "does not speak openai-responses" in said


def test_a_redirect_names_its_target():
    found = error(308, b"", {"location": "https://elsewhere.example/"})
    assert type(found) is BadRequest
    assert "https://elsewhere.example/" in str(found)


EVENTS = [
    (claude("overloaded_error", "Overloaded"), Overloaded),
    (claude("api_error"), ServerFailed),
    (claude("timeout_error"), ServerFailed),
    (claude("rate_limit_error"), RateLimited),
    (claude("invalid_request_error"), BadRequest),
    (claude("invalid_request_error", "prompt is too long: 9 > 8"), ContextOverflow),
    (claude("authentication_error"), AuthFailed),
    ({"type": "error", "code": "server_error", "message": "x", "sequence_number": 3}, ServerFailed),
    ({"type": "error", "code": "rate_limit_exceeded", "message": "x"}, RateLimited),
    ({"type": "error", "error": {"code": "invalid_prompt", "message": "x"}}, BadRequest),
    ({"code": "bio_policy", "message": "x"}, BadRequest),
    ({"code": "misalignment_policy_violation", "message": "x"}, BadRequest),
    ({"code": "data_residency_mismatch", "message": "x"}, BadRequest),
    ({"code": "image_too_large", "message": "x"}, BadRequest),
    ({"code": "invalid_image_format", "message": "x"}, BadRequest),
    ({"code": "insufficient_quota", "message": PLAN}, QuotaExceeded),
    ({"error": {"code": 502, "message": "bad provider"}}, ServerFailed),
    ({"error": {"code": 429, "message": "slow", "metadata": {}}}, RateLimited),
    ({"error": {"code": "502", "message": "bad provider"}}, ServerFailed),
    ({"error": {"code": 401, "message": "no"}}, AuthFailed),
    ({"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}, Overloaded),
    ({"error": {"type": "engine_overloaded_error", "message": "x"}}, Overloaded),
    ({"error": "plain words"}, ServerFailed),
    ({"object": "error", "message": "maximum context length is 8 tokens"}, ContextOverflow),
    ({}, ServerFailed),
]


@pytest.mark.parametrize(("event", "kind"), EVENTS)
def test_errors_inside_a_stream(event, kind):
    found = error_from_event(event, provider="acme", model="m-1")
    assert type(found) is kind
    assert found.message


def test_an_error_inside_a_stream_keeps_the_providers_words():
    found = error_from_event(
        claude("overloaded_error", "Overloaded"), provider="acme", model="m", request_id="req_2"
    )
    assert (found.message, found.code, found.request_id) == (
        "Overloaded",
        "overloaded_error",
        "req_2",
    )
    assert (
        error_from_event({"error": "plain words"}, provider="", model="").message == "plain words"
    )


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, "ResourceNotFoundException", "Could not resolve the foundation model."),
        (400, "ValidationException", "The provided model identifier is invalid."),
    ],
)
def test_bedrock_names_a_model_it_has_not(status, kind, message):
    headers = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/"}
    error = error_from(
        status, headers, json.dumps({"message": message}).encode(), provider="bedrock", model="m"
    )
    assert type(error) is ModelNotFound


def test_a_server_started_without_tools_is_told_how_to_start():
    said = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    assert "; start vLLM with" in str(error(400, {"error": {"message": said}}))
    assert "; start" not in str(error(400, {"error": {"message": "no"}}))
