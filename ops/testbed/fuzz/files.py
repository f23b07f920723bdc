"""Mutants of files of counts, through the reader of `orderfleet stock import`."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from ops.testbed.fuzz.findings import Findings
from workers.inventory.stocktake.counts import Known, read_count_file

KNOWN: Final = Known({"hangzhou": "杭州仓", "beijing": "北京仓"}, frozenset(f"SKU-{number}" for number in range(40)))
_ROWS: Final = [["hangzhou", f"SKU-{number}", number * 50, number] for number in range(40)]
_TOP: Final = ["warehouse", "sku", "on_hand", "safety"]
_CELLS: Final[tuple[Any, ...]] = (
    None, "", " ", "0", -1, "1,5", "5,000", "0,000", "1.000", "1.000,00", "1 000", "1'000", "1e9", "9" * 400, "５", "½",
    "50%", "(5)", "5件", "2026-01-05", True, 1.5, 1e308, "=1+1", '="5"', "#N/A", "\u200b5", "汉" * 5000, "a\nb",
    '"', "'", ";", "\t", "SKU-1", "hangzhou", "warehouse", "on_hand", "\U0001f600", "{", "[", "- ", "#",
    "&a", "*a", "!!python",
)  # fmt: skip


def try_mutants(seed: int, numbers: Sequence[int]) -> Findings:
    """What becomes of these files."""
    findings = Findings()
    for number in numbers:
        name = f"files:{seed}:{number}"
        kind, body = mutant(seed, number)
        try:
            with findings.measured(name, len(body)):
                found = read_count_file(body, f"counts.{kind}", datetime.now(UTC), known=KNOWN)
            for problem in found.problems:
                "".join(problem.tell()).encode()
        except Exception as error:  # noqa: BLE001  # that any exception comes out at all is the finding
            findings.crash(error, name)
            continue
        findings.note("refused" if found.problems else "read")
    return findings


def mutant(seed: int, number: int) -> tuple[str, bytes]:
    """A file's kind and its bytes."""
    random = Random(f"files:{seed}:{number}")  # noqa: S311  # the same mutants again, no secret
    kind = random.choice(("csv", "xlsx", "yaml", "json"))
    body = _written(kind, random)
    if random.random() < 0.5:
        body = _inside(body, random) if kind == "xlsx" and random.random() < 0.7 else _hurt(body, random)
    return kind, body


def _written(kind: str, random: Random) -> bytes:
    rows = [list(row) for row in random.sample(_ROWS, 12)]
    for _ in range(random.choice((0, 1, 2))):
        random.choice(rows)[random.randrange(4)] = random.choice(_CELLS)
    if kind == "xlsx":
        return _workbook(rows)
    if kind == "csv":
        return _csv(rows, random)
    entries = [dict(zip(_TOP, row, strict=True)) for row in rows]
    if kind == "json":
        return json.dumps(entries).encode()
    return "".join(f"- {json.dumps(entry, ensure_ascii=False)}\n" for entry in entries).encode()


def _csv(rows: Sequence[Sequence[Any]], random: Random) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=random.choice(",;\t")).writerows([_TOP, *rows])
    return out.getvalue().encode(random.choice(("utf-8", "utf-8-sig", "utf-16", "gb18030")))


def _workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in [_TOP, *rows]:
        book.worksheets[0].append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _inside(body: bytes, random: Random) -> bytes:
    """One part of the package hurt, and the package whole."""
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = random.choice([each for each in parts if each.startswith(("xl/work", "xl/shared", "xl/styles", "xl/_rels"))])
    parts[name] = _hurt(parts[name], random)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for each, part in parts.items():
            package.writestr(each, part)
    return buffer.getvalue()


def _hurt(body: bytes, random: Random) -> bytes:
    hurt = bytearray(body)
    for _ in range(random.choice((1, 2, 5))):
        at, length = random.randrange(len(hurt) or 1), random.choice((1, 2, 8, 100))
        match random.randrange(4):
            case 0:
                del hurt[at : at + length]
            case 1:
                hurt[at:at] = hurt[at : at + length]
            case 2:
                hurt[at : at + length] = random.randbytes(length)
            case _:
                hurt[at : at + 1] = random.choice(b'0159,.;"<>/=-[]{}\n\t &*').to_bytes()
    return bytes(hurt)
