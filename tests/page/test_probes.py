# SPDX-License-Identifier: MIT
"""A phone that joins the village's WiFi gets the answers of the Internet, and stays."""

from __future__ import annotations

import re
from pathlib import Path

from answer import Answer
from conftest import Serve

DEPLOY = Path(__file__).parents[2] / "gateway/deploy/access-point"


def test_every_system_gets_its_own_answer(tmp_path: Path, serve: Serve) -> None:
    address = serve(tmp_path)
    wanted = {
        "/generate_204": (204, ""),
        "/gen_204": (204, ""),
        "/hotspot-detect.html": (200, "<BODY>Success</BODY>"),
        "/library/test/success.html": (200, "<BODY>Success</BODY>"),
        "/connecttest.txt": (200, "Microsoft Connect Test"),
        "/ncsi.txt": (200, "Microsoft NCSI"),
        "/success.txt": (200, "success\n"),
    }
    for path, (status, text) in wanted.items():
        answer = Answer(address + path)
        assert answer.status == status
        assert text in answer.text
        assert answer.headers["Set-Cookie"] is None
        assert answer.headers["Cache-Control"] == "no-store"
    assert Answer(address + "/generate_204").headers.get("Content-Length", "0") == "0"


def test_the_recipe_sends_the_names_of_all_systems_to_one_address() -> None:
    names = (DEPLOY / "dnsmasq.conf").read_text()
    rows = dict(re.findall(r"^address=/([^/]+)/(\S+)$", names, re.M))
    here = {name for name, address in rows.items() if address == "192.168.4.1"}
    assert here >= {
        "su.lan",
        "connectivitycheck.gstatic.com",
        "captive.apple.com",
        "www.msftconnecttest.com",
        "detectportal.firefox.com",
    }
    assert "redirect to :8080" in (DEPLOY / "nftables.conf").read_text()
    assert "CHANGE-ME" in (DEPLOY / "hostapd.conf").read_text()
