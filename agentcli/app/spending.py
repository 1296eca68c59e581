"""What was spent, drawn as text: sums with bars, and each request of a session with its reasons."""

from __future__ import annotations

import csv
import io
import json
import time
from decimal import Decimal

from agentcli.lib.text import visible
from agentcli.llm.cost import format_usd
from agentcli.llm.pricing import plain
from agentcli.llm.types import JsonObject, Usage
from agentcli.session.bills import Bill
from agentcli.session.codec import usage_to_json
from agentcli.session.ledger import Account, Ledger
from agentcli.session.ledger_sums import By, Line

HEAD = ("requests", "input", "cached", "written", "output", "cost", "saved")
BAR = 24
"""Columns of the longest bar."""
SHORTEST = 6
"""Columns below which a bar says nothing."""
LEAST_KEY = 12
DISPENSABLE = ("written", "saved", "output", "requests", "cached", "input")
"""What a narrow terminal does without, in this order."""
WIDE = 100
"""Columns for a request, its bar and its counts in one line."""
READ, WRITTEN, FRESH = "█", "▓", "░"


def spending_table(lines: list[Line], by: By, *, columns: int | None = None) -> str:
    """A row a line and the sum; for a terminal of so many columns, with the cost drawn too."""
    if not lines:
        return "Nothing has been spent in this time."
    total = whole(lines)
    rows = [(by, *HEAD), *(_row(line) for line in lines)]
    if len(lines) > 1:
        rows.append(_row(total))
    texts = _aligned(_fitting(rows, by, columns) if columns else rows)
    room = min(BAR, columns - len(texts[0]) - 2) if columns else 0
    if room >= SHORTEST:
        most = max(line.cost for line in lines)
        for number, line in enumerate(lines, 1):
            texts[number] += "  " + _bar(line.cost, most, room)
    if total.unknown:
        texts.append(_unknown(total))
    return "\n".join(text.rstrip() for text in texts)


def spent_table(ledger: Ledger, *, columns: int | None = None) -> str:
    """What a session spent, by model, with a sum."""
    lines = [_line(name, account) for name, account in ledger.accounts.items()]
    return spending_table(lines, "model", columns=columns) if lines else "Nothing was spent yet."


def _line(model: str, account: Account) -> Line:
    cost, unknown = account.cost, account.unpriced
    spent = (cost.total, cost.saved, unknown, account.guessed)
    return Line(model, account.requests, account.usage, *spent)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return ["  ".join(_cell(row[n], widths[n], n) for n in range(len(row))) for row in rows]


def _fitting(rows: list[tuple[str, ...]], by: By, columns: int) -> list[tuple[str, ...]]:
    """As many of the columns as there is room for; then the keys are cut too."""
    for name in DISPENSABLE:
        over = len(_aligned(rows)[0]) - columns
        key = max(len(row[0]) for row in rows)
        if over <= max(0, key - 2 * LEAST_KEY):
            break
        place = rows[0].index(name)
        rows = [row[:place] + row[place + 1 :] for row in rows]
    over = len(_aligned(rows)[0]) - columns
    most = max(LEAST_KEY, max(len(row[0]) for row in rows) - max(0, over))
    return [(_cut(row[0], most, by), *row[1:]) for row in rows]


def _cut(key: str, most: int, by: By) -> str:
    """Of a path the end tells more."""
    if len(key) <= most:
        return key
    return f"…{key[1 - most :]}" if by == "repo" else f"{key[: most - 1]}…"


def whole(lines: list[Line]) -> Line:
    """The sum of all lines."""
    return Line(
        "total",
        sum(line.requests for line in lines),
        sum((line.usage for line in lines), Usage()),
        sum((line.cost for line in lines), Decimal(0)),
        sum((line.saved for line in lines), Decimal(0)),
        sum(line.unknown for line in lines),
        sum((line.guessed for line in lines), Decimal(0)),
    )


def spending_json(lines: list[Line], by: By) -> str:
    """Dollars are decimal strings: a float would round them."""
    return json.dumps([_record(line, by) for line in lines], ensure_ascii=False, indent=2)


def spending_csv(lines: list[Line], by: By) -> str:
    file = io.StringIO()
    names = list(_record(whole([]), by)) if not lines else list(_flat(lines[0], by))
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(line, by) for line in lines)
    return file.getvalue().rstrip("\n")


def explained(bills: list[Bill], *, columns: int | None = None) -> str:
    """Each request as a bar of what was read, written and sent uncached, and why."""
    first = bills[0]
    most = max(bill.usage.prompt if bill.usage else 0 for bill in bills)
    lines = [
        f"Session {first.session} in {visible(first.repo)}",
        f"{READ} read from cache  {WRITTEN} written to it  {FRESH} uncached",
    ]
    model = ""
    for bill in bills:
        if bill.model != model:
            model = bill.model
            lines.append(f"\n{visible(model)} ({visible(bill.provider)})")
        lines += _request(bill, most, narrow=columns is not None and columns < WIDE)
    return "\n".join(lines)


def _request(bill: Bill, most: int, *, narrow: bool) -> list[str]:
    clock = time.strftime("%m-%d %H:%M:%S", time.localtime(bill.at))
    head = f"{clock}  {bill.role:<10}  "
    usage = bill.usage
    if usage is None:
        guess = f", about {format_usd(bill.guess)}" if bill.guess else ""
        return [f"{head}the provider reported no usage{guess}"]
    written = usage.cache_write_5m + usage.cache_write_1h
    cost = "cost unknown" if bill.cost is None else format_usd(bill.cost.total)
    parts = f"{usage.cache_read:,} read · {written:,} written · {usage.input:,} uncached · {cost}"
    bar = segments(usage, most)
    lines = [f"{head}{bar}".rstrip(), f"  {parts}"] if narrow else [f"{head}{bar}  {parts}"]
    if bill.miss is not None:
        lost = f", {bill.miss.lost:,} tokens anew" if bill.miss.lost else ""
        lines.append(f"{'':{2 if narrow else 28}}{visible(bill.miss.text)}{lost}")
    return lines


def segments(usage: Usage, most: int) -> str:
    """The three parts, in proportion to the longest prompt; what is there has a column at least."""
    written = usage.cache_write_5m + usage.cache_write_1h
    sizes = ((usage.cache_read, READ), (written, WRITTEN), (usage.input, FRESH))
    bar = "".join(sign * _columns(size, most) for size, sign in sizes)
    return bar.ljust(BAR + 2)


def _columns(size: int, most: int) -> int:
    return max(1, size * BAR // most) if size > 0 else 0


def _row(line: Line) -> tuple[str, ...]:
    usage = line.usage
    share = 100 * usage.cache_read // usage.prompt if usage.prompt else 0
    known = line.requests > line.unknown
    return (
        visible(line.key),
        f"{line.requests:,}",
        f"{usage.prompt:,}",
        f"{usage.cache_read:,} ({share} %)",
        f"{usage.cache_write_5m + usage.cache_write_1h:,}",
        f"{usage.output:,}",
        format_usd(line.cost) if known else "unknown",
        format_usd(line.saved) if known else "unknown",
    )


def _unknown(total: Line) -> str:
    guess = f" (about {format_usd(total.guessed)} by our estimate)" if total.guessed else ""
    return f"{total.unknown:,} request(s) of unknown cost are not in the sum{guess}."


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _bar(amount: Decimal, most: Decimal, columns: int) -> str:
    """Eighths of a column, so that small amounts show."""
    if amount <= 0 or most <= 0:
        return ""
    eighths = max(1, int(amount * columns * 8 / most))
    return READ * (eighths // 8) + "▏▎▍▌▋▊▉"[eighths % 8 - 1] * (eighths % 8 > 0)


def _record(line: Line, by: By) -> JsonObject:
    return {
        by: line.key,
        "requests": line.requests,
        "usage": usage_to_json(line.usage),
        "cost_usd": plain(line.cost),
        "saved_usd": plain(line.saved),
        "unknown_requests": line.unknown,
        "estimated_unknown_usd": plain(line.guessed),
    }


def _flat(line: Line, by: By) -> JsonObject:
    record = _record(line, by)
    usage = record.pop("usage")
    return {by: record.pop(by), "requests": record.pop("requests")} | usage | record
