# SPDX-License-Identifier: MIT
"""What all tests share: the real parts they need; nothing is left out in silence."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(  # no test depends on how busy the machine is
    "kahriz", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kahriz")

SHARED = Path(__file__).parents[2] / "shared"
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def pytest_configure(config: pytest.Config) -> None:
    os.environ["COLUMNS"] = "200"  # a message is no other one because a folder's name is long
    config.addinivalue_line(
        "markers", "needs(*programs): real programs that the test drives, such as mosquitto"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SBIN}"):
                pytest.skip(f"{program} is not installed (scripts/parts installs it)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that is left out has failed, whatever its reason, but for absent ../shared."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if "../shared" not in reason:
            report.outcome = "failed"
            report.longrepr = f"left out in CI: {reason}"
    return report


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference tables and recorded series beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside this checkout: reference data is not here")
    return SHARED
