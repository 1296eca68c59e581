"""An MCP server of the protocol before 2026, by hand on standard input and output; it starts fast.

`python mcp_old_server.py LOG TOOLS.json`: TOOLS holds a list of {name, description, inputSchema};
each call answers with the name and the arguments. A tool called `change` reads TOOLS anew and says
that the list has changed; `secret` answers with KEY of its environment.
"""

import json
import os
import sys

LOG, TOOLS = sys.argv[1:3]


def log(text):
    with open(LOG, "a") as file:
        file.write(text + "\n")


def tools():
    with open(TOOLS, encoding="utf-8") as file:
        return json.load(file)


def send(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def called(name, arguments):
    log(f"call {name} {json.dumps(arguments)}")
    text = os.environ.get("KEY", "") if name == "secret" else f"{name} {json.dumps(arguments)}"
    return {"content": [{"type": "text", "text": text}]}


def answer(method, params):
    match method:
        case "initialize":
            return {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "old", "version": "1"},
            }
        case "tools/list":
            return {"tools": listed}
        case "tools/call":
            return called(params["name"], params.get("arguments", {}))
    return None


listed = tools()
log(f"started {os.getpid()}")
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    result = answer(asked["method"], asked.get("params", {}))
    if result is None:
        send(id=asked["id"], error={"code": -32601, "message": "Method not found"})
        continue
    send(id=asked["id"], result=result)
    if asked.get("params", {}).get("name") == "change":
        listed = tools()
        send(method="notifications/tools/list_changed")
log("ended")
