"""run.py --list names the scenarios; run.py MODULE.SCENARIO ... runs some, each against fresh processes."""

import importlib
import sys
import time
import traceback

MODULES = ["grpcio_client", "grpcio_server", "malformed", "load"]


def scenarios():
    for name in MODULES:
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            if callable(value) and key.startswith("scenario_"):
                yield f"{name}.{key.removeprefix('scenario_')}", value


def main(arguments):
    known = dict(scenarios())
    if arguments == ["--list"]:
        print("\n".join(known))
        return 0
    unknown = [name for name in arguments if name not in known]
    if unknown or not arguments:
        print(f"run.py: unknown scenario {unknown}; --list names them", file=sys.stderr)
        return 2
    failures = 0
    for name in arguments:
        start = time.monotonic()
        try:
            known[name]()
            print(f"passed {name} in {time.monotonic() - start:.1f} s", flush=True)
        except Exception:
            failures += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
