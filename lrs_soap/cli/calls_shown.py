"""lrs-soap calls: what a sandbox received and answered."""

import contextlib
import http.client
import json
import ssl
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import click

from lrs_soap.cli import exits, options

_PAUSE_SECONDS = 0.5
_TIMEOUT_SECONDS = 10


@click.command(epilog="Example: lrs-soap calls --last 1")
@click.option("--url", default="http://127.0.0.1:8080", envvar="LRS_URL", show_default=True,
              help="Where the sandbox is (LRS_URL); whatever path it has is ignored.")
@click.option("--last", default=10, show_default=True, type=click.IntRange(0, 200), metavar="N", help="Show the last N calls.")
@click.option("--follow", is_flag=True, help="Go on with each call that comes, until Ctrl-C.")
@click.option("--ca-bundle", type=click.Path(exists=True, dir_okay=False), help="PEM file of the authorities to trust.")
@options.json_option
@exits.handles()
def calls(url: str, last: int, follow: bool, ca_bundle: str | None, as_json: bool) -> None:
    """Show what your client really sent to a sandbox, and what it got.

    Requests and replies are pretty-printed, with what the schema says about each; every OrgPassword is masked. With
    --json, one call a line. A sandbox remembers its last 200 calls; a register in use remembers none.
    """
    number = 0
    with contextlib.suppress(KeyboardInterrupt):
        for number, call in enumerate(_calls(url, last, follow, ca_bundle), 1):
            click.echo(json.dumps(call, ensure_ascii=False) if as_json else _text(call))
    if not number and not as_json:
        click.echo("no calls yet", err=True)


def _calls(url: str, last: int, follow: bool, ca_bundle: str | None) -> Iterator[dict[str, Any]]:
    seen = 0
    if follow and not last:
        seen = max((call["number"] for call in _ask(url, "last=1", ca_bundle)), default=0)
    while True:
        for call in _ask(url, f"after={seen}" if seen else f"last={last}", ca_bundle):
            seen = call["number"]
            yield call
        if not follow:
            return
        time.sleep(_PAUSE_SECONDS)
        last = 200


def _ask(url: str, query: str, ca_bundle: str | None) -> list[dict[str, Any]]:
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise exits.Failure(f"{url} is not a URL", exits.Exit.USAGE) from None
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_bundle)
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        with contextlib.closing(connection):
            connection.request("GET", f"/calls.json?{query}")
            response = connection.getresponse()
            body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise exits.Failure(f"{host} cannot be reached: {error}", exits.Exit.UNREACHABLE) from None
    if response.status == 403:
        raise exits.Failure(body.decode("utf-8", "replace").strip(), exits.Exit.UNEXPECTED_REPLY)
    try:
        if response.status == 200:
            return json.loads(body)
    except ValueError:
        pass
    raise exits.Failure(f"{host} does not answer as a sandbox does: no other service remembers calls",
                        exits.Exit.UNEXPECTED_REPLY)  # fmt: skip


def _text(call: dict[str, Any]) -> str:
    answer = f"HTTP {call['status']}" if call["status"] else "connection closed without a reply"
    what = " ".join(filter(None, (call["operation"] or f"{call['method']} {call['path']}", call["code"])))
    lines = [f"{'=' * 8} {call['number']}  {call['at'][:23]}  {what}  ({answer}, {call['milliseconds']:.1f} ms)"]
    if call["note"]:
        lines.append(f"note: {call['note']}")
    for side in ("request", "reply"):
        lines.append(f"-- {side}, {call[f'{side}_bytes']} bytes: {call[f'{side}_judgement'] or 'not judged'}")
        lines += [f"{name}: {value}" for name, value in call[f"{side}_headers"]]
        if call[side]:
            lines += ["", _printable(call[side].rstrip())]
        lines.append("")
    return "\n".join(map(_printable, lines))


def _printable(text: str) -> str:
    """`text` without what would work on a terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)
