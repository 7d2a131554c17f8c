"""The tables in docs/real-software.md: a run brings the columns of the identity providers that it ran up to date, or finds them stale."""

import dataclasses

from stage import ROOT

PAGE = ROOT / "docs/real-software.md"


def page_after(results, facts):
    """The page as it should be after this run."""
    text = PAGE.read_text()
    passed = [result for result in results if result.passed]
    text = replace(text, "glance", lambda block: with_columns(block, "what | in brackets", list(glance(passed))))
    for kind, corner in (("flow", "what | by whom"), ("refused", "what a strict client tries | refused by")):
        rows = [result for result in passed if result.kind == kind]
        text = replace(text, kind, lambda block: with_columns(block, corner, rows))
    for idp in facts:
        doors = [result for result in passed if result.kind == "door" and result.idp == idp]
        if doors:
            text = replace(text, f"doors {idp}", lambda _: doors_table(doors))
    return text


def without_a_place(idps):
    """Those for whose doors the page has no marks."""
    text = PAGE.read_text()
    return [idp for idp in idps if f"<!-- doors {idp} -->\n" not in text or f"<!-- /doors {idp} -->" not in text]


def replace(text, name, change):
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if begin not in text:
        raise AssertionError(f"{PAGE.name} has no `{begin.strip()}`")
    before, rest = text.split(begin, 1)
    block, after = rest.split(end, 1)
    return before + begin + change(block) + end + after


@dataclasses.dataclass
class Count:
    """A cell of the first table."""

    idp: str
    row: str
    by: str
    cell: str


def glance(results):
    """How much of what was seen at each identity provider."""
    for idp in dict.fromkeys(result.idp for result in results):
        of_it = [result for result in results if result.idp == idp]

        def cells(kind, word, of_it=of_it):
            return [result.cell for result in of_it if result.kind == kind and word in result.cell]

        refused, doors, flows = cells("refused", ""), cells("door", ""), cells("flow", "passed")
        counts = {
            ("flows of strict clients that pass", "–"): len([cell for cell in flows if cell.startswith("passed") and "octets" not in cell]),
            ("days of first-party and permissive clients, each octet the same", "–"): len(cells("flow", "the same octets")),
            ("requests of strict clients, refused", "those that the product takes"): f"{len(refused)} ({len(cells('refused', '**passes'))})",
            ("requests at other doors, refused", "those that the product answers"): f"{len(doors)} ({len(cells('door', '**passes'))})",
            ("kinds of disguise, nothing got through", "–"): len(cells("disguise", "")),
        }
        for (row, by), cell in counts.items():
            yield Count(idp, row, by, str(cell))


def with_columns(block, corner, results):
    """The table with the cells of these results; those of other identity providers stay, and of what could not be run here."""
    columns, before = parse(block)
    ran = dict.fromkeys(result.idp for result in results)
    columns += [idp for idp in ran if idp not in columns]
    rows = {row: {idp: cell for idp, cell in cells.items() if idp not in ran} for row, cells in before.items()}
    order, at = list(rows), len(rows)
    for result in results:
        row = (result.row, result.by)
        kept = before.get(row, {}).get(result.idp) if lacks_a_tool(result) else None
        if row not in rows:
            # A new one stands where the run has it.
            order.insert(at, row)
        rows.setdefault(row, {})[result.idp] = kept or result.cell
        at = order.index(row) + 1
    columns.sort()
    lines = [f"| {corner} | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 2)]
    for what, by in (row for row in order if rows[row]):
        lines.append(f"| {what} | {by} | {' | '.join(rows[what, by].get(idp, '–') for idp in columns)} |")
    return "\n".join(lines) + "\n"


def lacks_a_tool(result):
    """Not run because a tool is not here: it says nothing about gate or product."""
    return result.cell.startswith("not run") and result.cell.endswith("missing")


def parse(block):
    lines = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in block.splitlines() if line.startswith("| ")]
    if not lines:
        return [], {}
    columns = lines[0][2:]
    return columns, {(line[0], line[1]): {idp: cell for idp, cell in zip(columns, line[2:]) if cell != "–"} for line in lines[1:]}


def doors_table(results):
    """One line for a door; where the two clients fare differently without the gate, both are said."""
    doors = {}
    for result in results:
        doors.setdefault((result.row, result.by), []).append(result.cell)
    lines = ["| door | refused by | without the gate |", "|---|---|---|"]
    for (door, by), cells in doors.items():
        lines.append(f"| {door} | {by} | {'; '.join(dict.fromkeys(cells))} |")
    return "\n".join(lines) + "\n"


def link(rule):
    return f"[`{rule}`](rules.md#{rule})"
