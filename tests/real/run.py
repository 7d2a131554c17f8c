#!/usr/bin/env python3
"""The gate in front of real identity providers, used by real clients.

usage: tests/real/run.py [--write] [IDP…]

Each identity provider is installed into target/real once, and runs unmodified; a recorder stands in front of it, the gate
in front of that. Exits with 1 if anything is not as expected. `--write` brings the tables in docs/real-software.md up to date.
"""

import pathlib
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import checks
import clients
import parity
from stage import HERE, Stage


def main():
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    known = sorted(path.parent.name for path in HERE.glob("*/facts.json"))
    if unknown := [name for name in arguments if name not in known]:
        print(f"run: no such identity provider: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    results, installed = [], clients.install()
    for idp in arguments or known:
        began = time.monotonic()
        print(f"\n{idp}", flush=True)
        try:
            with Stage(idp) as stage:
                results += Run(stage).run(installed)
        except Exception as error:
            traceback.print_exc()
            results.append((idp, "start", "it starts", False, str(error)))
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
    failed = [result for result in results if not result[3]]
    print(f"\n{len(results) - len(failed)} as expected, {len(failed)} not")
    for idp, _, name, _, detail in failed:
        print(f"  {idp}: {name}: {detail}")
    return 1 if failed else 0


class Run:
    """All checks at one identity provider."""

    def __init__(self, stage):
        self.stage, self.results = stage, []

    def run(self, installed):
        stage = self.stage
        for name, flow in checks.honest(stage):
            self.check("honest", name, lambda: text if isinstance(text := flow(), str) else "passed")
        for name, *request in checks.refusals(stage):
            self.check("refused", name, lambda: f"{request[-1]} | {checks.refused(stage, *request)}")
        for client, host in (("first_portal", "portal"), ("legacy_partner", "legacy")):
            self.check("same", f"{client}: {', '.join(stage.facts['first_party'])}", lambda: parity.same_octets(stage, client, host))
        for client, flow, function, excuse in clients.runs(stage, installed):
            self.check("client", f"{client}: {flow}", function or (lambda: excuse))
        return self.results

    def check(self, kind, name, function):
        try:
            passed, detail = True, function()
        except AssertionError as error:
            passed, detail = False, str(error)
        except Exception as error:
            passed, detail = False, f"{type(error).__name__}: {error}"
        self.results.append((self.stage.idp, kind, name, passed, detail))
        print(f"  {'ok ' if passed else 'NOT'}  {name}: {detail}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
