# SPDX-License-Identifier: MIT
"""`make audit`: does uv.lock hold a package with a known weakness? Asks OSV by pip-audit.

It needs the Internet (osv.dev), and says so where there is none: exit code 0 nothing known,
1 something known (each with the release that mends it), 2 it could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.uv import ROOT, uv

PIP_AUDIT = "pip-audit==2.9.0"
LIMIT_S = 300
OSV = "https://osv.dev"


def main() -> int:
    """Ask, print, end with the code."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "locked.txt"
        uv("export", "--quiet", "--locked", "--all-extras", "--no-dev", "--no-emit-project",
           "--project", str(ROOT), "--output-file", str(wanted))  # fmt: skip
        words = ["tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit", "--disable-pip",
                 "--require-hashes", "--vulnerability-service", "osv", "--format", "json",
                 "--progress-spinner", "off", "--requirement", str(wanted)]  # fmt: skip
        try:
            said = uv(*words, check=False, timeout_s=LIMIT_S)
        except subprocess.TimeoutExpired:
            said = ""
    return told(said)


def told(said: str) -> int:
    """What pip-audit found, in lines; its exit code as ours."""
    try:
        parts = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        print(f"audit: NOT DONE: {OSV} could not be asked; run it where there is Internet",
              file=sys.stderr)  # fmt: skip
        return 2
    left_out = [each["name"] for each in parts if "skip_reason" in each]
    weak = [each for each in parts if each.get("vulns")]
    for each in weak:
        for one in each["vulns"]:
            mend = ", ".join(one["fix_versions"]) or "no release mends it yet"
            print(f"{each['name']} {each['version']}: {one['id']}, mended in {mend}")
    if left_out:
        print(f"audit: not asked about {', '.join(left_out)}", file=sys.stderr)
    print(f"audit: {len(parts) - len(left_out)} packages asked about, {len(weak)} with a weakness")
    return 1 if weak else 2 if left_out or not parts else 0


if __name__ == "__main__":
    sys.exit(main())
