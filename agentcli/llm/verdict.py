"""Which kind of error a provider means: by its own codes, its words, and the HTTP status."""

from __future__ import annotations

import re

from agentcli.lib.value import value
from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    LLMError,
    MarkRefused,
    ModelFailed,
    ModelNotFound,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
    ThinkingRefused,
)
from agentcli.llm.types import JsonObject

Kind = type[LLMError]

OVERFLOW_WORDS = (
    "prompt is too long",
    "input is too long",
    "exceeds the context window",
    "context_length_exceeded",
    "maximum context length",
    "input token count",
    "exceeds the maximum number of tokens",
    "exceed_context_size_error",
    "context size has been exceeded",
    "model_context_window_exceeded",
    "maximum prompt length",
    "too large for model with",
    "token limit exceeded",
    "request too large",
    "reduce the length of the messages",
    "contextwindowexceedederror",
)
"""Words by which vendors say that a prompt does not fit (wire.md 5.15), in lower case."""
TOO_LARGE_WORDS = ("request too large", "too large for model", "reduce the length of the messages")
"""The ones that mean the same in a 429, whose other words are about tokens a minute."""
QUOTA_WORDS = (
    "insufficient_quota",
    "insufficient balance",
    "credit balance is too low",
    "specified api usage limits",
    "budget has been exceeded",
    "budget_exceeded",
    "crossed budget",
)
REFUSALS = ("400", "403", "404", "413", "422")
"""What a model behind Bedrock answered that it would answer again (wire.md 4.6)."""

_CODES: dict[Kind, str] = {
    QuotaExceeded: """insufficient_quota credit_balance_exhausted billing_error budget_exceeded
        organization_spend_limit_exceeded project_spend_limit_exceeded arrearage
        organization_usage_limit_exceeded billing_hard_limit_reached enforced_spend_limit_reached
        contract_spend_limit_reached exceeded_current_quota_error servicequotaexceededexception
        1113 1304 1308 1309 1310 1311 1313""",
    ContextOverflow: """context_length_exceeded exceed_context_size_error request_too_large
        model_context_window_exceeded 1261""",
    RateLimited: """rate_limit_exceeded rate_limit_reached_error ramp_limit_exceeded slow_down
        throttlingexception throttling.ratequota limit_requests 1302 1303 1305""",
    Overloaded: """overloaded_error engine_overloaded_error modelnotreadyexception
        insufficient_system_resource serviceunavailableexception unavailable unavailable_error
        3505 1312""",
    ServerFailed: """timeout_error network_error modeltimeoutexception internalserverexception
        deadline_exceeded 1234""",
    ModelFailed: """tool_use_failed modelerrorexception modelstreamerrorexception
        malformed_model_output malformed_tool_use""",
    AuthFailed: """authentication_error invalid_api_key api_key_invalid expiredtokenexception
        unrecognizedclientexception unauthenticated permission_error permission_denied
        accessdeniedexception unsupported_country_region_territory""",
    ModelNotFound: "model_not_found resourcenotfoundexception 1211",
    ThinkingRefused: "invalid_encrypted_content",
    BadRequest: """invalid_prompt bio_policy misalignment_policy_violation data_inspection_failed
        data_residency_mismatch content_filter unsupported_parameter string_above_max_length
        1301 invalid_image invalid_image_format invalid_base64_image
        invalid_image_url image_too_large image_too_small image_parse_error
        image_content_policy_violation invalid_image_mode image_file_too_large
        unsupported_image_media_type empty_image_file failed_to_download_image
        image_file_not_found""",
}
BY_CODE: dict[str, Kind] = {code: kind for kind, text in _CODES.items() for code in text.split()}
"""Codes that settle the matter, whatever the status (wire.md 1.9, 2.7, 3.7, 4.6, 5)."""
BY_TYPE: dict[str, Kind] = {
    "invalid_request_error": BadRequest,
    "not_found_error": ModelNotFound,
    "not_found": ModelNotFound,
    "validationexception": BadRequest,
    "invalid_argument": BadRequest,
    "failed_precondition": BadRequest,
    "rate_limit_error": RateLimited,
    "resource_exhausted": RateLimited,
    "conflict_error": ServerFailed,
}
"""Words too broad to overrule a status: they count where there is none, in a stream."""
_NO_MODEL = re.compile(
    r"\bmodels?\b.{0,80}(not found|not exist|not a valid|not supported|unavailable for|unknown)"
    r"|(unknown|invalid|no such|unsupported) model|no endpoints found|model_not_found"
    r"|model identifier is invalid",
    re.IGNORECASE | re.DOTALL,
)
_BAD_THINKING = re.compile(
    r"invalid `\w+` in `\w*thinking` block|`\w*thinking` blocks .*cannot be modified"
    r"|thought[ _]?signature|of type 'reasoning' was provided without|item with id 'rs_",
    re.IGNORECASE | re.DOTALL,
)
_CACHE_MARK = re.compile(r"prompt_cache_(breakpoint|options)")
_BAD_KEY = re.compile(
    r"api_key_invalid|(incorrect|invalid|wrong) (api|x-api)[ -]?key|api key not valid",
    re.IGNORECASE,
)


@value
class Facts:
    """What an error says. `status` is 0 in a stream; `codes` in lower case, the exactest first."""

    status: int
    codes: tuple[str, ...]
    message: str
    error: JsonObject


def verdict(facts: Facts) -> Kind:
    """The one class that fits."""
    found = _special(facts) or _by_code(facts) or _by_words(facts)
    if found is not None:
        return found
    if facts.status:
        return _by_status(facts)
    broad = next((BY_TYPE[code] for code in facts.codes if code in BY_TYPE), ServerFailed)
    return BadRequest if broad is ModelNotFound and not _names_model(facts.message) else broad


def _special(facts: Facts) -> Kind | None:
    """Where one word means two things: OpenRouter's reasons, Google's and Amazon's day limits."""
    metadata = str(facts.error.get("metadata", ""))
    if facts.status == 402 and "in_flight_budget_exhausted" in metadata:
        return RateLimited
    if facts.status == 403 and "'reasons'" in metadata:
        return BadRequest
    if str(facts.error.get("originalStatusCode", "")) in REFUSALS:
        return BadRequest
    if facts.status in (400, 422) and _CACHE_MARK.search(facts.message):
        return MarkRefused
    if "resource_exhausted" in facts.codes or "throttlingexception" in facts.codes:
        return QuotaExceeded if _for_the_day(facts) else RateLimited
    return None


def _for_the_day(facts: Facts) -> bool:
    details = str(facts.error.get("details", ""))
    words = facts.message.lower()
    if facts.status == 402 or "PerDay" in details or "per day" in words or "daily" in words:
        return True
    return "billing" in words and "retryDelay" not in details and "quotaId" not in details


def _by_code(facts: Facts) -> Kind | None:
    kind = next((BY_CODE[code] for code in facts.codes if code in BY_CODE), None)
    if kind is RateLimited and (facts.status == 413 or _any(TOO_LARGE_WORDS, facts.message)):
        return ContextOverflow
    return kind


def _by_words(facts: Facts) -> Kind | None:
    status, message = facts.status, facts.message
    if status in (0, 400, 403, 429) and _any(QUOTA_WORDS, message):
        return QuotaExceeded
    if status not in (401, 402, 403):
        words = TOO_LARGE_WORDS if status == 429 else OVERFLOW_WORDS
        if status == 413 or _any(words, message):
            return ContextOverflow
    if (status in (0, 429) or status >= 500) and "overloaded" in message.lower():
        return Overloaded
    if status in (0, 400) and _BAD_THINKING.search(message):
        return ThinkingRefused
    if status in (0, 400) and _BAD_KEY.search(f"{' '.join(facts.codes)} {message}"):
        return AuthFailed
    if status in (400, 422) and _names_model(message):
        return ModelNotFound
    return None


def _by_status(facts: Facts) -> Kind:
    match facts.status:
        case 401 | 403 | 407:
            return AuthFailed
        case 402:
            return QuotaExceeded
        case 404:
            about_model = _names_model(facts.message) or facts.message.startswith("model: ")
            return ModelNotFound if about_model else BadRequest
        case 429:
            return RateLimited
        case 498 | 503 | 529:
            return Overloaded
        case 408 | 409 | 424 | 425:
            return ServerFailed
        case status if status >= 499:
            return ServerFailed
        case _:
            return BadRequest


def _names_model(message: str) -> bool:
    return bool(_NO_MODEL.search(message))


def _any(words: tuple[str, ...], message: str) -> bool:
    lower = message.lower()
    return any(word in lower for word in words)
