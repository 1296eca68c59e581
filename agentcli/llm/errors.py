"""What can go wrong with a model: a small tree that knows what may be retried and when."""

from __future__ import annotations


class LLMError(Exception):
    """A request failed. `str()` is one sentence for a person: who, what, status, request id."""

    kind = "error"
    retryable = False
    tries: int | None = None
    """How often such a request is sent in all; None for as often as any."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.model = model
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds the server asked us to wait; None when it named none."""
        self.code = code
        """The provider's own word for the error, e.g. `overloaded_error`."""
        self.elsewhere = ""
        """Who is asked the next time and at what price, where that is somebody else."""

    def __str__(self) -> str:
        where = "/".join(part for part in (self.provider, self.model) if part)
        facts = [f"HTTP {self.status}"] if self.status else []
        facts += [f"request {self.request_id}"] if self.request_id else []
        tail = f" ({', '.join(facts)})" if facts else ""
        return f"{where}: {self.message}{tail}" if where else f"{self.message}{tail}"


class BadRequest(LLMError):
    """The provider refuses the request as it stands (400, 413, 422)."""

    kind = "bad_request"


class WrongEndpoint(BadRequest):
    """The server has no such route: another base URL, or another wire, is needed (404, 405)."""

    kind = "wrong_endpoint"


class ContextOverflow(BadRequest):
    """The prompt does not fit the model's window (wire.md 5.15)."""

    kind = "context_overflow"


class ThinkingRefused(BadRequest):
    """Earlier thinking, signed for another talk, is not taken back (wire.md 1.6, 2.4, 3.4)."""

    kind = "thinking_refused"


class MarkRefused(BadRequest):
    """A server in OpenAI's place does not know its marks in a prompt (wire.md 2.8.2)."""

    kind = "mark_refused"


class ModelNotFound(BadRequest):
    kind = "model_not_found"


class AuthFailed(LLMError):
    """A missing, wrong or powerless key (401, 403)."""

    kind = "auth"


class QuotaExceeded(LLMError):
    """No money or no plan left: waiting does not help (402, quota codes of 429)."""

    kind = "quota"


class RateLimited(LLMError):
    kind = "rate_limit"
    retryable = True


class Overloaded(LLMError):
    """The service is busy (529, 503, overloaded_error)."""

    kind = "overloaded"
    retryable = True


class ServerFailed(LLMError):
    """The service broke (500, 502, 504, api_error)."""

    kind = "server"
    retryable = True


class ModelFailed(ServerFailed):
    """The model wrote what its service cannot read; one more try may help (wire.md 3.3, 5.4)."""

    tries = 2


class ConnectionFailed(LLMError):
    """No answer: name, route, TLS, time-out or reset."""

    kind = "connection"
    retryable = True


class StreamCut(ConnectionFailed):
    """The stream ended without its terminal event, or broke off in the middle."""

    kind = "stream_cut"


class StreamMalformed(LLMError):
    """What arrived is not what the wire promises (an HTML page, broken JSON, another protocol)."""

    kind = "stream_malformed"
    retryable = True
