"""A whole app with an Ollama-like server: its real window and abilities are taken and told."""

import asyncio
import json
from contextlib import asynccontextmanager

from agentcli.agent.events import Notice
from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.config import load

ABLE = ["completion", "tools", "thinking"]
SHOWN = {"model_info": {"qwen3.context_length": 262144}, "capabilities": ABLE}


class Ollama:
    """Answers chats with "yes", and counts `read` prompt tokens (None: what was sent)."""

    def __init__(self, shown, window, read):
        self.shown = shown
        self.window = window
        self.read = read
        self.loaded = False
        self.paths = []
        self.chats = []

    def page(self, path, body):
        self.paths.append(path)
        if path == "/api/show":
            return json.dumps(self.shown)
        if path == "/api/ps":
            row = {"name": "qwen3:latest", "context_length": self.window}
            return json.dumps({"models": [row] if self.loaded else []})
        assert path == "/v1/chat/completions"
        self.loaded = True
        self.chats.append(json.loads(body))
        read = len(body) // 4 if self.read is None else self.read
        usage = {"prompt_tokens": read, "completion_tokens": 1, "total_tokens": read + 1}
        delta = {"index": 0, "delta": {"content": "yes"}, "finish_reason": None}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        chunks = [{"choices": [delta]}, {"choices": [end]}, {"choices": [], "usage": usage}]
        lines = [json.dumps({"id": "c1", "model": "qwen3"} | chunk) for chunk in chunks]
        return "".join(f"data: {line}\n\n" for line in (*lines, "[DONE]"))

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = head.partition("content-length: ")[2].split("\r\n")[0]
                body = await reader.readexactly(int(size or 0))
                data = self.page(head.split(" ")[1], body.decode()).encode()
                kind = "text/event-stream" if data.startswith(b"data:") else "application/json"
                writer.write(
                    f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n"
                    f"content-length: {len(data)}\r\n\r\n".encode()
                    + data
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Person:
    def __init__(self):
        self.notices = []

    def emit(self, event):
        if isinstance(event, Notice):
            self.notices.append(event.text)

    async def ask(self, question):
        raise AssertionError(question)


@asynccontextmanager
async def talking(root, ollama, effort=None):
    server = await asyncio.start_server(ollama.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    env = {"HOME": str(root), "OLLAMA_BASE_URL": f"http://127.0.0.1:{port}/v1"}
    person = Person()
    config = load(root, env)
    options = Options(model="ollama/qwen3", effort=effort)
    app = App(options, config, person, root=root, env=env)
    try:
        yield app, person
    finally:
        await app.close()
        server.close()


def talk(root, ollama, *prompts, effort=None):
    async def go():
        async with talking(root, ollama, effort) as (app, person):
            for prompt in prompts:
                end = await app.prompt(prompt)
                assert end.reason == "done", end
            return person.notices, app.route.model

    return asyncio.run(go())


def test_the_window_is_learnt_once_the_model_is_loaded_and_told_once(tmp_path):
    ollama = Ollama(SHOWN, 4096, None)
    notices, model = talk(tmp_path, ollama, "one", "two", "three")
    assert model.context == 4096
    (line,) = notices
    assert "OLLAMA_CONTEXT_LENGTH" in line
    assert ollama.paths.count("/api/ps") == 2


def test_a_roomy_server_is_asked_and_says_nothing(tmp_path):
    ollama = Ollama(SHOWN, 131072, None)
    ollama.loaded = True
    notices, model = talk(tmp_path, ollama, "one", "two")
    assert (notices, model.context) == ([], 131072)
    assert ollama.paths[:2] == ["/api/show", "/api/ps"]
    assert len(ollama.paths) == 4


def test_a_model_without_tools_is_told_and_gets_none(tmp_path):
    ollama = Ollama(SHOWN | {"capabilities": ["completion"]}, 131072, None)
    notices, _ = talk(tmp_path, ollama, "one")
    assert any("no tools" in line for line in notices)
    assert "tools" not in ollama.chats[0]


def test_a_prompt_that_was_not_read_whole_is_told_once(tmp_path):
    ollama = Ollama(SHOWN, 40_000, 700)
    notices, _ = talk(tmp_path, ollama, "word " * 60_000, "again")
    (line,) = notices
    assert "read 700 tokens" in line


def test_an_effort_that_the_model_does_not_know_becomes_the_nearest_which_is_told_once(tmp_path):
    ollama = Ollama(SHOWN, 131072, None)
    notices, _ = talk(tmp_path, ollama, "one", "two", effort="xhigh")
    (line,) = notices
    assert "none, low, medium, high; 'high' is asked for" in line
    assert [chat["reasoning_effort"] for chat in ollama.chats] == ["high", "high"]


def test_no_effort_is_asked_of_a_model_that_the_server_says_cannot_think(tmp_path):
    ollama = Ollama(SHOWN | {"capabilities": ["completion", "tools"]}, 131072, None)
    talk(tmp_path, ollama, "one", effort="high")
    assert "reasoning_effort" not in ollama.chats[0]
