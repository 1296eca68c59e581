"""What stands in a provider's place: wrong servers, redirects, proxies that leave things out."""

import gzip
import json

import pytest
from strict_server import serve

from agentcli.llm.simulator import Failure, Fault, Script, SimulatedProvider, When, calls, says
from agentcli.llm.simulator.script import Turn, Use

STREAM = ("--output-format", "stream-json")
READ = ("Read", {"path": "a.txt"})
PATHS = {
    "anthropic": "/v1/messages",
    "openai-responses": "/v1/responses",
    "openai-chat": "/v1/chat/completions",
}


def notices(done):
    """What was told in the machine-readable output."""
    found = [json.loads(line) for line in done.out.splitlines()]
    return [line["text"] for line in found if line.get("subtype") == "notice"]


def configure(project, text):
    config = project.root.parent / "home/.config/agentcli/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(text)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_no_key_goes_where_it_leads(project, provider, wire, status):
    with serve(SimulatedProvider([says("never")])) as elsewhere:
        moved = {"location": f"{elsewhere.url}/v1/messages?token=sk-ant-secret-of-the-person"}
        first = provider([Failure(status, b"", moved)], wire)
        done = project.agent("-p", "hi")
        assert (done.code, len(first.requests), elsewhere.requests) == (1, 1, [])
    assert f"sends us on to {elsewhere.url}/v1/messages" in done.err
    assert "secret-of" not in done.err


@pytest.mark.parametrize("asked", PATHS)
@pytest.mark.parametrize("status", [404, 405])
def test_a_server_of_another_kind_is_said_to_be_one(project, asked, status):
    """It has none of the paths of the wire that it is configured for."""
    other = When(lambda request: request.wire == asked, Failure(status, b'{"detail":"Not Found"}'))
    with serve(SimulatedProvider(Script(rules=(other,)))) as server:
        base = server.url if asked == "anthropic" else f"{server.url}/v1"
        configure(project, f'[providers.corp]\nurl = "{base}"\nwire = "{asked}"\n')
        done = project.agent("-p", "hi", "-m", "corp/m")
    assert done.code == 1
    assert f"the server knows no POST {PATHS[asked]} (Not Found)" in done.err
    assert f"it does not speak {asked}" in done.err
    assert len(server.requests) == 1


@pytest.mark.parametrize("asked", PATHS)
@pytest.mark.parametrize("spoken", PATHS)
def test_an_answer_in_another_apis_words_is_told(project, asked, spoken):
    """A proxy that answers every path in the one way it knows."""
    if asked == spoken:
        return

    class Deaf(SimulatedProvider):
        def answer(self, method, url, headers, body):
            talk = {"model": "m", "stream": True, "max_tokens": 9}
            said = [{"role": "user", "content": "hi"}]
            talk |= {"input": said} if spoken == "openai-responses" else {"messages": said}
            if spoken == "openai-responses":
                del talk["max_tokens"]
            given = headers | {"anthropic-version": "2023-06-01", "x-api-key": "k"}
            raw = json.dumps(talk).encode()
            return super().answer(method, f"http://h{PATHS[spoken]}", given, raw)

    with serve(Deaf([says("Hello.")])) as server:
        base = server.url if asked == "anthropic" else f"{server.url}/v1"
        configure(project, f'[providers.corp]\nurl = "{base}"\nwire = "{asked}"\n')
        done = project.agent("-p", "hi", "-m", "corp/m")
    assert (done.code, done.out) == (1, "")
    assert "the server answers in" in done.err
    assert f'set wire = "{spoken}" for it' in done.err
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["html", "empty", "json_error_200"])
def test_an_answer_that_is_none_is_tried_again(project, provider, wire, kind):
    server = provider([Fault(kind), says("Now.")], wire)
    done = project.agent("-p", "hi")
    assert (done.out, len(server.requests)) == ("Now.\n", 2), done.err


def test_a_packed_error_is_read(project, provider, wire):
    body = gzip.compress(b'{"error":{"type":"authentication_error","message":"no such key"}}')
    packed = {"content-encoding": "gzip", "content-type": "application/json"}
    provider([Failure(401, body, packed)], wire)
    done = project.agent("-p", "hi")
    assert "access was refused: no such key (HTTP 401)" in done.err


def test_arguments_that_are_no_json_teach_the_model_and_run_nothing(project, provider, wire):
    broken = Turn((Use("Bash", raw='{"command": "touch ran", }'),))
    server = provider([broken, says("I see.")], wire)
    done = project.agent("-p", "go", "--permission-mode", "bypass")
    assert (done.out, done.code) == ("I see.\n", 0), done.err
    assert not (project.root / "ran").exists()
    answered = server.requests[1].raw.decode()
    assert "JSON" in answered
    assert "touch ran" in answered


class Stripping(SimulatedProvider):
    """A proxy that takes what it does not know out of requests and answers."""

    def answer(self, method, url, headers, body):
        plain = body.replace(b'"cache_control":{"type":"ephemeral"},', b"")
        plain = plain.replace(b',"cache_control":{"type":"ephemeral"}', b"")
        plain = plain.replace(b',"cache_control":{"type":"ephemeral","ttl":"1h"}', b"")
        assert b"cache_control" not in plain
        return super().answer(method, url, headers, plain)


def test_a_proxy_that_takes_the_marks_away_is_noticed_once(project):
    with serve(Stripping([*[calls(READ)] * 5, says("Done.")])) as server:
        project.env |= {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "k"}
        done = project.agent("-p", "go", "-m", "claude-sonnet-5-5", *STREAM)
    assert done.code == 0
    assert len([text for text in notices(done) if "takes the marks away" in text]) == 1
    assert all(b"cache_control" in request.raw for request in server.requests)


class Silent(SimulatedProvider):
    """A proxy that reports no cached tokens."""

    def answer(self, method, url, headers, body):
        answer = super().answer(method, url, headers, body)
        pieces = (piece.replace(b'"cached_tokens"', b'"unknown"') for piece in answer.body)
        kept = {name: getattr(answer, name) for name in ("status", "headers", "wait", "pause")}
        return type(answer)(**kept, body=pieces)


def test_a_cache_that_is_never_read_is_noticed_once(project):
    long = "word " * 3000
    with serve(Silent([*[calls(READ)] * 6, says("Done.")])) as server:
        project.env |= {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "k"}
        done = project.agent("-p", long, "-m", "gpt-4.1", *STREAM)
    assert done.code == 0
    told = [text for text in notices(done) if "read nothing from the cache" in text]
    assert len(told) == 1
    assert "takes the marks away" not in told[0]
