"""An MCP server of the protocol before 2026 over HTTP, by hand: `python mcp_old_web.py PORT LOG`.

It gives sessions, knows only those it gave since it was started, and forgets them all at `forget`.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, LOG = sys.argv[1:3]
SCHEMA = {"type": "object"}
RESULTS = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "old", "version": "1"},
    },
    "tools/list": {"tools": [{"name": n, "inputSchema": SCHEMA} for n in ("forget", "look")]},
    "tools/call": {"content": [{"type": "text", "text": "done"}]},
}
sessions = set()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "refuse" in self.headers:
            return self.answer(401, None)
        session = self.headers.get("mcp-session-id")
        if asked["method"] == "initialize":
            session = str(len(sessions) + 1)
            sessions.add(session)
        elif session not in sessions:
            return self.answer(404, None)
        if "id" not in asked:
            return self.answer(202, None)
        name = asked.get("params", {}).get("name")
        with open(LOG, "a") as file:
            file.write(f"{asked['method']} {name or ''} {self.headers.get('authorization')}\n")
        body = {"jsonrpc": "2.0", "id": asked["id"], "result": RESULTS[asked["method"]]}
        self.answer(200, body, session)
        if name == "forget":
            sessions.clear()
        return None

    def do_GET(self):
        self.answer(405, None)

    do_DELETE = do_GET

    def answer(self, status, body, session=None):
        data = json.dumps(body).encode() if body else b""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        if session:
            self.send_header("mcp-session-id", session)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler).serve_forever()
