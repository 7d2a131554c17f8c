"""Reads forms as servers in Python do.

Each line of standard input is `{"raw": …}`; the answer is one line with, for each
parser, the values of each name, or the reason why it would not read.
"""

import json
import sys
from urllib.parse import parse_qs, parse_qsl


def grouped(pairs):
    """The values of each name, from pairs."""
    values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def strictly(raw):
    """Refuses whatever it would otherwise mend."""
    try:
        return parse_qs(raw, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as error:
        return {"refused": [str(error)]}


PARSERS = {
    "parse_qs": parse_qs,
    "parse_qs keep_blank_values": lambda raw: parse_qs(raw, keep_blank_values=True),
    "parse_qs strict_parsing": strictly,
    "parse_qsl": lambda raw: grouped(parse_qsl(raw, keep_blank_values=True)),
    # Until 3.9.2 Python took both separators.
    "parse_qsl semicolon": lambda raw: grouped(parse_qsl(raw.replace(";", "&"), keep_blank_values=True)),
}

for line in sys.stdin.buffer.read().splitlines():
    raw = json.loads(line)["raw"]
    print(json.dumps({parser: read(raw) for parser, read in PARSERS.items()}))
