#!/usr/bin/env python3
"""The gate in front of real identity providers, used by real clients.

usage: tests/real/run.py [--write] [--all] [IDP…]

Without a name: all of them. Each identity provider is installed into target/real once, and runs unmodified; a recorder stands in front of it, the gate
in front of that. Exits with 1 if anything is not as expected, or if the tables in docs/real-software.md say something else;
`--write` brings them up to date. A client whose language is not installed is not run, and counted apart; `--all` takes that for a failure.
"""

import dataclasses
import importlib.util
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import checks
import clients
import disguises
import parity
import report
from stage import HERE, Stage, arguments


@dataclasses.dataclass
class Result:
    """One check, and its place in the tables."""

    idp: str
    kind: str
    row: str
    by: str
    passed: bool
    cell: str

    @property
    def mark(self):
        return "NOT" if not self.passed else "-- " if self.cell.startswith("not run") else "ok "


def main():
    idps, options = arguments(__doc__, ("--write", "--all"))
    if homeless := report.without_a_place(idps):
        marks = ", ".join(f"`<!-- doors {idp} -->`" for idp in homeless)
        print(f"run: {report.PAGE.name} has no {marks}: add a section with that line and its end, `<!-- /doors … -->`", file=sys.stderr)
        return 2
    results, installed = [], clients.install()
    for idp in idps:
        began = time.monotonic()
        print(f"\n{idp}", flush=True)
        try:
            with Stage(idp) as stage:
                Run(stage, results).run(installed)
        except Exception as error:
            results.append(Result(idp, "start", "it starts", "", False, str(error)))
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
    if "--all" in options:
        for result in results:
            result.passed = result.passed and not report.lacks_a_tool(result)
    return conclude(results, idps, "--write" in options)


def conclude(results, idps, writes):
    failed = [result for result in results if not result.passed]
    print("\n                        as expected   not   not run")
    for idp in idps:
        marks = [result.mark for result in results if result.idp == idp]
        print(f"  {idp:<24}{marks.count('ok '):>9}{marks.count('NOT'):>6}{marks.count('-- '):>10}")
    for result in failed:
        print(f"  NOT  {result.idp}: {result.row}, {result.by}: {result.cell}")
    if failed:
        return 1
    after = report.page_after(results, idps)
    if after != report.PAGE.read_text():
        if not writes:
            print("  NOT  the tables in docs/real-software.md are stale: look at what changed, and run with --write")
            return 1
        report.PAGE.write_text(after)
    return 0


class Run:
    """All checks at one identity provider."""

    def __init__(self, stage, results):
        self.stage, self.results = stage, results

    def run(self, installed):
        stage = self.stage
        for row, client, flow in checks.honest(stage):
            self.check("flow", row, client, flow)
        for client, host, kind in (("first_portal", "portal", "first-party"), ("legacy_partner", "legacy", "permissive")):
            self.check("flow", f"everything it does ({client})", f"{kind}, scripted", lambda: parity.same_octets(stage, client, host))
        for client, row, function, excuse in clients.runs(stage, installed):
            self.check("flow", row, client, (lambda: excuse) if excuse else function)
        for row, *request in checks.refusals(stage):
            kind, row = ("door", row.removeprefix("door: ")) if row.startswith("door: ") else ("refused", row)
            self.check(kind, row, report.link(request[-1]), lambda: checks.refused(stage, *request))
        if "consent_client" in stage.facts:
            row = f"authorize, the form of its consent page (`POST {stage.facts['authorization']}`)"
            self.check("door", row, report.link("method-not-allowed"), lambda: checks.consent_form(stage))
        for row, function in disguises.steps(stage):
            self.check("disguise", f"in disguise: {row}", "a strict client", function)
        for row, function in self.of_its_own():
            self.check("own", row, "of its own", function)

    def of_its_own(self):
        """What only this product has, in `own.py` of its folder."""
        file = HERE / self.stage.idp / "own.py"
        if not file.exists():
            return []
        spec = importlib.util.spec_from_file_location(f"own_{self.stage.idp}", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.steps(self.stage)

    def check(self, kind, row, by, function):
        try:
            passed, cell = True, function() or "passed"
        except AssertionError as error:
            passed, cell = False, str(error)
        except Exception as error:
            passed, cell = False, f"{type(error).__name__}: {error}"
        cell = " ".join(cell.split())[:400]
        result = Result(self.stage.idp, kind, row, by, passed, cell)
        self.results.append(result)
        print(f"  {result.mark}  {row}, {by.partition(']')[0].strip('[`')}: {cell}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
