"""What the binary recordings of both Bedrock wires are made from; run as a program, it makes them.

What they say is in the files beside them, `wire/<wire>/<case>.expected.json`.
"""

import json
from base64 import b64encode
from pathlib import Path

from event_frames import event, frame

from agentcli.llm.frames import SseParser

WIRES = Path(__file__).parent / "wire"
THOUGHT = "I should read\u2028the file first — 読む."
SIGNATURE = "EqoBCkgIARABGAIiQL8s+/=="
USAGE = {"inputTokens": 12, "outputTokens": 34, "totalTokens": 46}
START = event("messageStart", {"role": "assistant", "p": "abcdefgh"})


def delta(index, piece):
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": piece, "p": "abc"})


def text(index, *pieces):
    return b"".join(delta(index, {"text": piece}) for piece in pieces)


def reasoning(index, *pieces):
    return b"".join(delta(index, {"reasoningContent": piece}) for piece in pieces)


def call(index, call_id, name):
    use = {"toolUse": {"toolUseId": call_id, "name": name}}
    return event("contentBlockStart", {"contentBlockIndex": index, "start": use})


def arguments(index, *pieces):
    return b"".join(delta(index, {"toolUse": {"input": piece}}) for piece in pieces)


def end(index):
    return event("contentBlockStop", {"contentBlockIndex": index})


def stop(reason):
    return event("messageStop", {"stopReason": reason})


def metadata(**usage):
    return event("metadata", {"usage": USAGE | usage, "metrics": {"latencyMs": 1234}})


def damaged(data):
    """One bit of the last frame's payload turned over."""
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


def chunk(payload):
    data = b64encode(json.dumps(payload, ensure_ascii=False).encode()).decode()
    return event("chunk", {"bytes": data, "p": "abcdefghij"})


HELLO = START + text(0, "Hel", "lo, ", "world.") + end(0)
CALL = START + text(0, "Looking.") + end(0) + call(1, "tooluse_A", "read_file")
CUT_CALL = CALL + arguments(1, "", '{"path":', ' "a.p')
THINKING = START + reasoning(0, {"text": THOUGHT[:9]}, {"text": THOUGHT[9:]})
BLOB = [b64encode(piece).decode() for piece in (b"\x00\xffsecret", b"more")]
CONVERSE = {
    "text": HELLO + stop("end_turn") + metadata(),
    "call_in_fragments": CALL
    + arguments(1, "", '{"path":', ' "a.p', 'y"}')
    + end(1)
    + stop("tool_use")
    + metadata(),
    "interleaved_calls": START
    + call(0, "tooluse_A", "read_file")
    + call(1, "functions.list:1", "list_files")
    + call(2, "tooluse_C", "git_status")
    + arguments(1, '{"fol')
    + arguments(0, '{"path"')
    + arguments(1, 'der": "src"}')
    + arguments(0, ': "a"}')
    + end(0)
    + end(1)
    + end(2)
    + stop("tool_use")
    + metadata(),
    "reasoning_and_call": THINKING
    + reasoning(0, {"signature": SIGNATURE[:7]}, {"signature": SIGNATURE[7:]})
    + end(0)
    + call(1, "tooluse_A", "read_file")
    + arguments(1, '{"path": "a"}')
    + end(1)
    + stop("tool_use")
    + metadata(),
    "reasoning_omitted": START
    + reasoning(0, {"signature": SIGNATURE})
    + end(0)
    + text(1, "Done.")
    + end(1)
    + stop("end_turn")
    + metadata(),
    "reasoning_redacted": START
    + reasoning(0, {"redactedContent": BLOB[0]})
    + end(0)
    + reasoning(1, {"redactedContent": BLOB[0]}, {"redactedContent": BLOB[1]})
    + end(1)
    + text(2, "Done.")
    + end(2)
    + stop("end_turn")
    + metadata(),
    "reasoning_never_ended": THINKING + text(1, "Done.") + stop("end_turn") + metadata(),
    "usage_every_field": HELLO
    + stop("end_turn")
    + metadata(
        cacheReadInputTokens=5000,
        cacheWriteInputTokens=700,
        cacheDetails=[{"ttl": "1h", "inputTokens": 500}, {"ttl": "5m", "inputTokens": 200}],
    ),
    "usage_without_details": HELLO
    + stop("end_turn")
    + metadata(cacheReadInputTokens=5000, cacheWriteInputTokens=700, cacheDetails=[]),
    "metrics_before_usage": HELLO
    + stop("end_turn")
    + event("metadata", {"metrics": {"latencyMs": 1}})
    + metadata(),
    "usage_before_stop": HELLO + metadata() + stop("end_turn"),
    "exception_after_the_end": HELLO
    + stop("end_turn")
    + metadata()
    + frame("exception", "internalServerException", {"message": "Too late."}),
    "no_metadata": HELLO + stop("end_turn"),
    "cut_in_metadata": HELLO + stop("end_turn") + metadata()[:-9],
    "throttled": HELLO
    + frame("exception", "throttlingException", {"message": "Too many tokens, please wait."}),
    "model_error": START
    + text(0, "Hel")
    + frame(
        "exception",
        "modelStreamErrorException",
        {"message": "The model broke.", "originalStatusCode": 500, "originalMessage": "x"},
    ),
    "model_error_in_its_own_words": START
    + frame(
        "exception",
        "modelStreamErrorException",
        {"originalStatusCode": 503, "originalMessage": "The GPU is on fire."},
    ),
    "model_refused_request": START
    + frame(
        "exception",
        "modelStreamErrorException",
        {"message": "The input is bad.", "originalStatusCode": 400},
    ),
    "validation": frame(
        "exception", "validationException", {"message": "Input is too long for requested model."}
    ),
    "error_frame": START + frame("error", "InternalFailure", "Something broke."),
    "guardrail": START + text(0, "Blocked.") + end(0) + stop("guardrail_intervened") + metadata(),
    "content_filtered": START + stop("content_filtered") + metadata(outputTokens=0),
    "length_in_call": CUT_CALL + end(1) + stop("max_tokens") + metadata(),
    "length_with_valid_arguments": CALL
    + arguments(1, '{"path": "a"}')
    + end(1)
    + stop("max_tokens")
    + metadata(),
    "context_full": HELLO + stop("model_context_window_exceeded") + metadata(),
    "stop_sequence": HELLO + stop("stop_sequence") + metadata(),
    "malformed_tool_use": CUT_CALL + end(1) + stop("malformed_tool_use") + metadata(),
    "arguments_that_do_not_parse": CUT_CALL + end(1) + stop("tool_use") + metadata(),
    "split_characters": START
    + text(0, "🎉 naïve 日本語 👩‍👩‍👧", "\u2028\u2029\u0085\u000b\u000c end")
    + end(0)
    + stop("end_turn")
    + metadata(),
    "unknown_events": START
    + event("somethingNew", {"a": 1})
    + event("contentBlockStart", {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}})
    + delta(0, {"image": {"source": {}}})
    + text(0, "Hi")
    + delta(0, {"citation": {"title": "t"}})
    + end(0)
    + end(7)
    + stop("end_turn")
    + metadata(),
    "nulls": START
    + delta(0, {"text": None, "reasoningContent": {"text": "Hm.", "signature": None}})
    + delta(1, {"text": "Hi", "toolUse": None, "reasoningContent": None})
    + delta(1, {"text": None, "toolUse": {"input": "{}"}})
    + stop("end_turn")
    + metadata(cacheReadInputTokens=None, cacheDetails=None),
    "cut_after_call": CALL + arguments(1, '{"path": "a"}') + end(1),
    "empty": b"",
    "cut_in_frame": HELLO[:-20],
    "damaged_frame": damaged(START + text(0, "Hel", "lo")) + end(0) + stop("end_turn"),
    "whole_answer": json.dumps(
        {
            "output": {
                "message": {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "S="}}},
                        {"text": "Looking."},
                        {"toolUse": {"toolUseId": "t1", "name": "read_file", "input": {"p": 1}}},
                    ],
                }
            },
            "stopReason": "tool_use",
            "usage": USAGE,
        }
    ).encode(),
    "error_with_status_200": b'{"message":"The security token included in the request is expired",'
    b'"__type":"ExpiredTokenException"}',
    "web_page": b"<html><head><title>Sign in</title></head></html>",
}
OPENING = {
    "type": "message_start",
    "message": {
        "id": "msg_bdrk_01",
        "content": [],
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 2000,
            "cache_creation_input_tokens": 300,
            "output_tokens": 1,
        },
    },
}
CLOSING = {
    "type": "message_stop",
    "amazon-bedrock-invocationMetrics": {"inputTokenCount": 10, "outputTokenCount": 40},
}


def opened(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index, **piece):
    return {"type": "content_block_delta", "index": index, "delta": piece}


def closed(index):
    return {"type": "content_block_stop", "index": index}


def stopped(reason):
    usage = {"output_tokens": 40}
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


THINKING_AND_CALL = (
    OPENING,
    opened(0, type="thinking", thinking="", signature=""),
    grown(0, type="thinking_delta", thinking=THOUGHT),
    grown(0, type="signature_delta", signature=SIGNATURE),
    closed(0),
    opened(1, type="tool_use", id="toolu_bdrk_01", name="read_file", input={}),
    grown(1, type="input_json_delta", partial_json='{"path": '),
    grown(1, type="input_json_delta", partial_json='"é"}'),
    closed(1),
    stopped("tool_use"),
    CLOSING,
)
SPOKEN = (OPENING, opened(0, type="text", text=""), grown(0, type="text_delta", text="Hel"))


def chunks(*payloads):
    return b"".join(chunk(payload) for payload in payloads)


def pretty_chunk(payload):
    """An event spread over lines, which a line of server-sent events could not hold."""
    data = b64encode(json.dumps(payload, indent=1).encode()).decode()
    return event("chunk", {"bytes": data})


INVOKE = {
    "thinking_and_call": chunks(*THINKING_AND_CALL),
    "events_over_several_lines": b"".join(pretty_chunk(p) for p in THINKING_AND_CALL),
    "overloaded_event": chunks(
        *SPOKEN, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    ),
    "timed_out": chunks(*SPOKEN)
    + frame("exception", "modelTimeoutException", {"message": "The model took too long."}),
    "cut": chunks(*SPOKEN),
    "damaged_frame": damaged(chunks(*SPOKEN)),
    "no_base64": chunks(*SPOKEN) + event("chunk", {"bytes": "a"}),
    "error_with_status_200": b'{"message":"The provided model identifier is invalid."}',
    "whole_answer": json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "content": [{"type": "text", "text": "Hello."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 2},
        }
    ).encode(),
}

REFRAMED = """
    calls_interleaved_by_index context_full cut_after_call cut_in_text empty_answer
    error_in_the_middle length_inside_call length_inside_call_valid_json malformed_arguments
    omitted_and_redacted_thinking parallel_calls pause_with_server_tool plain_text refusal
    stop_sequence thinking_then_call unicode_in_text_and_arguments usage_5m_1h_cumulative_nulls
    usage_never_reported usage_write_without_split
"""
METRICS = {"inputTokenCount": 12, "outputTokenCount": 88, "invocationLatency": 900}


def reframed(name):
    """The events of a recording of the Messages API, as InvokeModel frames them (wire.md 4.3)."""
    body = (WIRES / "anthropic" / f"{name}.stream.txt").read_bytes()
    events = [json.loads(frame.data) for frame in SseParser().feed(body)]
    if events[-1]["type"] == "message_stop":
        events[-1]["amazon-bedrock-invocationMetrics"] = METRICS
    return chunks(*events)


INVOKE |= {name: reframed(name) for name in REFRAMED.split()}

RECORDED = {
    WIRES / wire / f"{name}.stream.bin": body
    for wire, cases in (("bedrock", CONVERSE), ("anthropic-bedrock", INVOKE))
    for name, body in cases.items()
}

if __name__ == "__main__":
    for path, recorded in RECORDED.items():
        path.write_bytes(recorded)
