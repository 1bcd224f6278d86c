"""What README.md tells a reader to do works."""

import re
import subprocess
import sys

from support import outcomes, server, soap, tables

README = (tables.ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"


def block(language: str, beginning: str, running) -> str:
    """The code block of that language that begins so, for the server of the test."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (code,) = (code for code in blocks if code.startswith(beginning))
    assert ADDRESS in code
    return code.replace(ADDRESS, f"http://127.0.0.1:{running.port}")


def test_the_request_by_curl(sandbox):
    done = subprocess.run(["sh", "-c", block("sh", "curl", sandbox)], capture_output=True, timeout=30, check=True)
    answer = soap.answer(server.Reply(200, {"content-type": "text/xml; charset=utf-8"}, done.stdout))
    assert outcomes.said(answer) == ["WSRC0004"]


def test_the_request_by_the_client(sandbox):
    code = block("python", "from lrs_soap", sandbox)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True, text=True)
    assert done.stdout == "4123001008 Eleanor Whitcombe 2004-03-17\n"


def test_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    for link in links:
        assert (tables.ROOT / link).exists(), link
