import asyncio
import gzip
import socket
import ssl
from pathlib import Path

import h11
import httpx
import pytest
from loopback import CHUNKED, END, HEAD, chunk, loopback, reset, sized

from agentcli import __version__
from agentcli.lib.errors import UserError
from agentcli.llm.connection import Origin, Pool
from agentcli.llm.errors import ConnectionFailed, StreamCut, StreamMalformed
from agentcli.llm.http import MAX_ERROR_BODY, Http, InProcess
from agentcli.llm.network import proxy_for, tls_context
from agentcli.llm.types import PreparedRequest

CERTIFICATE = Path(__file__).parent / "localhost.pem"


async def post(http, url, body=b"{}", headers=None):
    async with http.stream(PreparedRequest(url, headers or {}, body)) as response:
        return response.status, [piece async for piece in response.chunks()]


def run(answer, use, **options):
    """`use(http, server)` against a loopback server; what it returns, and the server."""

    async def main():
        async with loopback(answer, **options.pop("server", {})) as server:
            http = Http(**options)
            try:
                return await use(http, server), server
            finally:
                await http.aclose()

    return asyncio.run(main())


def failing(answer, **options):
    with pytest.raises(ConnectionFailed) as caught:
        run(answer, lambda http, server: post(http, server.url), **options)
    return caught.value


async def hello(number, request, writer):
    writer.write(sized(b"hello %d" % number))


def test_a_request_arrives_as_it_was_prepared():
    async def use(http, server):
        return await post(http, server.url, b'{"a":1}', {"X-Api-Key": "k", "accept": "x"})

    (status, pieces), server = run(hello, use)
    line, headers, body = server.requests[0]
    assert (status, b"".join(pieces)) == (200, b"hello 1")
    assert line == "POST /v1/messages HTTP/1.1"
    assert body == b'{"a":1}'
    assert headers["x-api-key"] == "k"
    assert headers["accept"] == "x"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"] == f"agentcli/{__version__}"


def test_pieces_come_as_they_are_sent():
    async def answer(number, request, writer):
        writer.write(CHUNKED)
        for word in (b"one", b"two", b"three"):
            writer.write(chunk(word))
            await asyncio.sleep(0.02)
        writer.write(END)

    (_, pieces), _ = run(answer, lambda http, server: post(http, server.url))
    assert pieces == [b"one", b"two", b"three"]


def test_a_connection_is_used_again():
    async def use(http, server):
        await post(http, server.url)
        return await post(http, server.url)

    (_, pieces), server = run(hello, use)
    assert pieces == [b"hello 2"]
    assert server.connections == 1


@pytest.mark.parametrize("farewell", [b"", sized(b"bye", b"408 Request Timeout")])
def test_a_kept_connection_that_died_is_replaced(farewell):
    """A server hangs up while a tool runs, some with a last word nobody asked for."""

    async def answer(number, request, writer):
        await hello(number, request, writer)
        if number == 1:
            writer.write(farewell)
            return "close" if not farewell else writer.write_eof()

    async def use(http, server):
        await post(http, server.url)
        await asyncio.sleep(0.05)
        return await post(http, server.url)

    (_, pieces), server = run(answer, use)
    assert pieces == [b"hello 2"]
    assert server.connections == 2


def test_a_kept_connection_that_dies_on_the_next_request_is_replaced_once():
    async def answer(number, request, writer):
        if number in (2, 3):
            return "close"
        await hello(number, request, writer)

    async def use(http, server):
        await post(http, server.url)
        await post(http, server.url)

    with pytest.raises(ConnectionFailed, match="closed the connection without an answer"):
        run(answer, use)

    async def once(number, request, writer):
        if number == 2:
            return "close"
        await hello(number, request, writer)

    async def again(http, server):
        await post(http, server.url, b"first")
        return await post(http, server.url, b"second")

    (_, pieces), server = run(once, again)
    assert pieces == [b"hello 3"]
    assert [body for _, _, body in server.requests] == [b"first", b"second", b"second"]


def test_an_idle_connection_is_given_up_after_ten_minutes():
    async def main():
        now = [1000.0]
        pool = Pool(connect=5, clock=lambda: now[0])
        async with loopback(hello) as server:
            url = httpx.URL(server.url)
            origin = Origin(url.host, url.port, False)
            for pause in (0, 599, 601):
                now[0] += pause
                head = h11.Request(method="POST", target="/", headers=[("host", "x")])
                _, connection = await pool.send(origin, None, head, b"")
                while await connection.next_piece():
                    pass
                pool.give_back(origin, connection)
            pool.close()
            await asyncio.sleep(0)
            return server.connections

    assert asyncio.run(main()) == 2


@pytest.mark.parametrize("how", ["leave", "cancel"])
def test_leaving_early_closes_the_connection_at_once(how):
    async def answer(number, request, writer):
        writer.write(CHUNKED + chunk(b"one"))
        for _ in range(500):
            await asyncio.sleep(0.01)
            writer.write(chunk(b"more"))
            await writer.drain()

    async def listen(http, server):
        async with http.stream(PreparedRequest(server.url)) as response:
            async for piece in response.chunks():
                if piece == b"one" and how == "leave":
                    return

    async def use(http, server):
        task = asyncio.create_task(listen(http, server))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(2):
            await server.gone.wait()
        return server.connections

    assert run(answer, use)[0] == 1


def test_an_early_refusal_is_read_while_the_body_is_still_being_sent():
    async def refuse(reader, writer):
        await reader.read(1000)
        writer.write(sized(b"too large", b"413 Payload Too Large", b"connection: close"))
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.sleep(0)

    async def main():
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        http = Http()
        async with http.stream(PreparedRequest(url, {}, b"x" * 20_000_000)) as response:
            result = response.status, await response.read()
        await http.aclose()
        server.close()
        await asyncio.sleep(0.3)
        return result

    assert asyncio.run(main()) == (413, b"too large")


def test_a_refused_port_says_so():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(ConnectionFailed) as caught:
            asyncio.run(post(Http(), f"http://127.0.0.1:{port}/"))
    assert f"nothing answers at 127.0.0.1:{port} (connection refused)" in str(caught.value)
    assert caught.value.retryable


def test_an_unknown_host_says_so():
    with pytest.raises(ConnectionFailed, match=r"the name of no-such-host\.invalid was not found"):
        asyncio.run(post(Http(), "http://no-such-host.invalid/"))


@pytest.mark.parametrize("url", ["localhost:4000/v1", "ftp://x/", "http://", ""])
def test_what_is_no_url_is_refused_for_good(url):
    with pytest.raises(ConnectionFailed, match="can't be used") as caught:
        asyncio.run(post(Http(), url))
    assert not caught.value.retryable


@pytest.mark.parametrize("value", ["a\nb", "a\x00b", "schlüssel…"])
def test_a_header_that_cannot_be_sent_is_refused_for_good(value):
    async def use(http, server):
        await post(http, server.url, headers={"x-a": value})

    with pytest.raises(ConnectionFailed, match="a header") as caught:
        run(hello, use)
    assert not caught.value.retryable


def test_no_first_byte_in_time():
    async def answer(number, request, writer):
        await asyncio.sleep(5)

    assert "sent nothing for 0.05 s" in str(failing(answer, first_byte=0.05))


def test_no_connection_in_time():
    """A listener whose queue is full takes no more connections."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        with pytest.raises(ConnectionFailed, match=r"no connection to .* within 0\.1 s"):
            asyncio.run(post(Http(connect=0.1), f"http://127.0.0.1:{address[1]}/"))
        for filler in fillers:
            filler.close()


def test_silence_in_the_middle_is_a_cut():
    async def answer(number, request, writer):
        writer.write(CHUNKED + chunk(b"one"))
        await asyncio.sleep(5)

    error = failing(answer, idle=0.05, first_byte=3)
    assert isinstance(error, StreamCut)
    assert "went silent for 0.05 s" in str(error)


def test_pings_count_as_life():
    async def answer(number, request, writer):
        writer.write(CHUNKED)
        for _ in range(6):
            await asyncio.sleep(0.1)
            writer.write(chunk(b": ping\n\n"))
        writer.write(END)

    (_, pieces), _ = run(answer, lambda http, server: post(http, server.url), idle=0.4)
    assert len(pieces) == 6


def test_a_thinking_model_may_be_slower_than_the_idle_limit_with_its_first_byte():
    async def answer(number, request, writer):
        writer.write(CHUNKED)
        await asyncio.sleep(0.3)
        writer.write(chunk(b"one") + END)

    (_, pieces), _ = run(answer, lambda http, server: post(http, server.url), idle=0.05)
    assert pieces == [b"one"]


@pytest.mark.parametrize("ending", [reset, lambda writer: "close"])
@pytest.mark.parametrize("start", [CHUNKED + chunk(b"one"), HEAD + b"content-length: 9\r\n\r\none"])
def test_a_body_that_breaks_off_is_a_cut(start, ending):
    async def answer(number, request, writer):
        writer.write(start)
        await asyncio.sleep(0.05)
        ending(writer)
        return "close"

    error = failing(answer)
    assert isinstance(error, StreamCut)
    assert "broke in the middle of the answer" in str(error)


def test_a_connection_closed_without_an_answer():
    async def answer(number, request, writer):
        return "close"

    error = failing(answer)
    assert type(error) is ConnectionFailed
    assert "closed the connection without an answer" in str(error)


@pytest.mark.parametrize("garbage", [b"\x15\x03\x01\x00\x02\x02P\r\n\r\n", b"SSH-2.0-x\r\n\r\n"])
def test_what_does_not_speak_http(garbage):
    async def answer(number, request, writer):
        writer.write(garbage)

    assert "does not speak HTTP" in str(failing(answer))


def test_an_uninvited_gzip_is_unpacked():
    async def answer(number, request, writer):
        writer.write(sized(gzip.compress(b"hello"), b"200 OK", b"content-encoding: gzip"))

    (_, pieces), _ = run(answer, lambda http, server: post(http, server.url))
    assert b"".join(pieces) == b"hello"


def test_a_broken_gzip_is_malformed():
    async def answer(number, request, writer):
        writer.write(sized(b"no gzip", b"200 OK", b"content-encoding: gzip"))

    with pytest.raises(StreamMalformed, match="unpacked"):
        run(answer, lambda http, server: post(http, server.url))


def test_an_error_body_is_read_in_part_when_it_is_long_or_cut():
    async def answer(number, request, writer):
        if number == 1:
            writer.write(sized(b"x" * (MAX_ERROR_BODY + 50_000), b"500 No"))
            return
        writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 99\r\n\r\nbecause")
        await writer.drain()
        return "close"

    async def use(http, server):
        found = []
        for _ in range(2):
            async with http.stream(PreparedRequest(server.url)) as response:
                found.append(await response.read())
        return found

    (long, cut), _ = run(answer, use)
    assert len(long) == MAX_ERROR_BODY
    assert cut == b"because"


def test_a_body_that_never_ends_is_left_when_it_has_settled():
    async def answer(number, request, writer):
        writer.write(CHUNKED + chunk(b"all"))
        await asyncio.sleep(5)

    async def use(http, server):
        async with http.stream(PreparedRequest(server.url)) as response:
            first = await anext(response.chunks())
            await response.settle(0.05)
            return first

    assert run(answer, use)[0] == b"all"


def test_hints_before_the_answer_are_skipped():
    async def answer(number, request, writer):
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        await hello(number, request, writer)

    assert run(answer, lambda http, server: post(http, server.url))[0][1] == [b"hello 1"]


def server_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_tls_with_a_certificate_the_person_trusts(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    async def use(http, server):
        http.warm(server.url)
        await post(http, server.url)
        return await post(http, server.url)

    (_, pieces), server = run(hello, use, server={"ssl": server_tls()})
    assert pieces == [b"hello 2"]
    assert server.connections == 1


def test_tls_with_a_certificate_nobody_knows():
    error = failing(hello, server={"ssl": server_tls()})
    assert "is not trusted" in str(error)
    assert "SSL_CERT_FILE" in str(error)
    assert not error.retryable


def test_https_to_a_plain_port():
    async def plain(reader, writer):
        await reader.read(100)
        writer.write(sized(b"", b"400 Bad Request"))
        writer.close()

    async def main():
        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        try:
            await post(Http(), f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        finally:
            server.close()

    with pytest.raises(ConnectionFailed, match=r"no TLS with .* does it speak https"):
        asyncio.run(main())


def test_a_certificate_file_that_is_not_there(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ConnectionFailed, match="SSL_CERT_FILE") as caught:
        asyncio.run(post(Http(), "https://localhost:1/"))
    assert not caught.value.retryable


def test_without_variables_the_machine_or_certifi_is_trusted():
    assert tls_context().verify_mode is ssl.CERT_REQUIRED


async def proxy(number, request, writer):
    writer.write(sized(request[0].encode()))


def test_a_proxy_from_the_environment_is_used(monkeypatch):
    async def use(http, server):
        monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1/messages"))
        first = await post(http, "http://api.example/v1/messages")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        return first, await post(http, server.url)

    ((_, through), (_, direct)), _ = run(proxy, use)
    assert through == [b"POST http://api.example/v1/messages HTTP/1.1"]
    assert direct == [b"POST /v1/messages HTTP/1.1"]


async def tunnel(reader, writer, port):
    """What a proxy does for https: one line, then bytes both ways."""
    writer.write(await reader.readuntil(b"\r\n\r\n") and b"HTTP/1.1 200 Connected\r\n\r\n")
    there, back = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source, target):
        while data := await source.read(65536):
            target.write(data)

    pumps = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))]
    try:
        await asyncio.wait(pumps, return_when="FIRST_COMPLETED")
    finally:
        for task in pumps:
            task.cancel()
        writer.transport.abort()
        back.transport.abort()


def test_tls_through_a_proxy(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    async def use(http, server):
        port = int(server.url.split(":")[2].partition("/")[0])
        proxy = await asyncio.start_server(lambda r, w: tunnel(r, w, port), "127.0.0.1", 0)
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        await post(http, "https://api.example/v1/messages")
        answer = await post(http, "https://api.example/v1/messages")
        await http.aclose()
        await asyncio.sleep(0.05)
        proxy.close()
        return answer

    (_, pieces), server = run(hello, use, server={"ssl": server_tls()})
    assert pieces == [b"hello 2"]
    assert server.connections == 1
    assert server.requests[0][1]["host"] == "api.example"


def test_a_proxy_that_refuses_is_named_without_its_password(monkeypatch):
    async def answer(number, request, writer):
        writer.write(sized(b"", b"407 Proxy Authentication Required"))

    async def use(http, server):
        monkeypatch.setenv("HTTPS_PROXY", server.url.replace("//", "//me:secret@"))
        await post(http, "https://api.example/v1/messages")

    with pytest.raises(ConnectionFailed, match="the proxy http://me:") as caught:
        run(answer, use)
    assert "407" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_not_there(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match=r"through the proxy http://127\.0\.0\.1:9"):
        asyncio.run(post(Http(), "http://api.example/"))


def test_a_proxy_of_an_unknown_kind(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match="can't be used") as caught:
        asyncio.run(post(Http(), "http://api.example/"))
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example/v1", "http://proxy:1"),
        ("http://api.example/v1", ""),
        ("https://inside.corp/v1", ""),
        ("https://localhost:11434/v1", ""),
        ("https://127.0.0.2:1/", ""),
        ("https://[::1]:1/", ""),
    ],
)
def test_which_way_a_request_takes(monkeypatch, url, expected):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "corp")
    assert proxy_for(url) == expected


def test_a_transport_given_from_outside_is_used_and_its_errors_are_told():
    def answer(request):
        raise httpx.ReadError("gone")

    with pytest.raises(ConnectionFailed, match=r"api\.example failed: gone"):
        asyncio.run(post(Http(transport=httpx.MockTransport(answer)), "https://api.example/"))


def test_the_provider_in_the_process_gets_and_gives_everything():
    seen = []

    def handler(method, url, headers, body):
        seen.append((method, url, headers["x-a"], body))
        return 201, {"X-B": "c"}, [b"one", b"two"]

    async def slowly(pieces):
        for piece in pieces:
            yield piece

    async def main(handler):
        http = Http(transport=InProcess(handler))
        async with http.stream(PreparedRequest("https://demo/v1", {"X-A": "1"}, b"{}")) as reply:
            return reply.status, reply.headers["x-b"], [piece async for piece in reply.chunks()]

    assert asyncio.run(main(handler)) == (201, "c", [b"one", b"two"])
    assert seen == [("POST", "https://demo/v1", "1", b"{}")]
    later = asyncio.run(main(lambda *_: (200, {"x-b": ""}, slowly([b"three"]))))
    assert later == (200, "", [b"three"])


def test_a_trace_holds_the_exchange_without_keys(tmp_path):
    async def answer(number, request, writer):
        writer.write(sized(b"secret-free body", b"200 OK", b"set-cookie: session=abcdefghijklmnop"))

    async def use(http, server):
        headers = {"authorization": "Bearer sk-1234567890abcdef", "accept": "x"}
        await post(http, f"{server.url}?key=AIzaSecretSecretSecret", b'{"q":1}', headers)

    folder = tmp_path / "deep" / "trace"
    run(answer, use, trace=folder)
    files = {path.name.partition(".")[2]: path for path in folder.iterdir()}
    assert sorted(files) == ["body", "request.txt", "response.txt"]
    request = files["request.txt"].read_text()
    assert request.startswith("POST http://127.0.0.1:")
    assert "Bearer ***cdef" in request
    assert request.endswith('{"q":1}')
    assert "sk-1234567890" not in request
    assert "AIzaSecret" not in request
    assert "session=" not in files["response.txt"].read_text()
    assert files["body"].read_bytes() == b"secret-free body"
    assert all(path.stat().st_mode & 0o077 == 0 for path in files.values())


def test_a_trace_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="AGENT_TRACE"):
        asyncio.run(post(Http(trace=tmp_path / "file"), "http://127.0.0.1:1/"))
