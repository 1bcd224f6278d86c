"""The sandbox's pages about the calls it received: /calls, /calls/<number>, and /calls.json for programs.

P, all of it. They are shown to this machine itself and to the addresses of the setting `monitoring_from`, for a client
under test may send what is not everybody's. They load nothing, run nothing, and everything in them is escaped.
"""

import dataclasses
import datetime
import json
import re
from typing import Any
from urllib.parse import parse_qs

import jinja2

from lrs_soap import contract
from lrs_soap.settings import Settings
from lrs_soap.wire import origin, probes
from lrs_soap.wire.app import JSON, TEXT, Response
from lrs_soap.wire.judgement import VALID
from lrs_soap.wire.spool import MOST_CALLS, Call, Spool

_HTML = "text/html; charset=utf-8"
_ONE = re.compile(r"/calls/([0-9]{1,9})")
# What is shown came from outside: should anything of it ever be taken for markup, it can do nothing.
_SAFE = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)

_TEMPLATES = {
    "page": """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %} - lrs_soap sandbox</title>
<style>
:root{color-scheme:light dark;--line:#8884;--good:#186a3b;--bad:#b03a2e;--soft:#8881}
@media (prefers-color-scheme:dark){:root{--good:#58d68d;--bad:#f1948a}}
body{font:1rem/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;
border-bottom:1px solid var(--line)}th{font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}
pre{background:var(--soft);padding:.8rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;
font:.85rem/1.45 ui-monospace,monospace;border-radius:.3rem}
.good{color:var(--good)}.bad{color:var(--bad)}.note{background:var(--soft);padding:.4rem .6rem;border-radius:.3rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
</style></head>
<body>
{% block body %}{% endblock %}
</body></html>
""",
    "calls": """{% extends "page" %}
{% block title %}Calls{% endblock %}
{% block body %}<h1>Calls</h1>
<p>The last {{ most }} requests this sandbox received, newest first. Every OrgPassword is masked.
On the command line: <code>lrs-soap calls --follow</code>.</p>
{% if calls %}<table>
<tr><th class="number">No.</th><th>Time (UTC)</th><th>Operation</th><th>HTTP</th><th>Code</th><th class="number">ms</th>
<th>The request, says the schema</th><th>The reply</th></tr>
{% for call in calls %}<tr><td class="number"><a href="calls/{{ call.number }}">{{ call.number }}</a></td>
<td>{{ call.at|clock }}</td>
<td>{{ call.operation or call|otherwise }}
{% if call.note %}<br><small>{{ call.note }}</small>{% endif %}</td>
<td>{{ call.status or "dropped" }}</td><td>{{ call.code }}</td>
<td class="number">{{ "%.1f"|format(call.milliseconds) }}</td>
<td class="{{ call.request_judgement|tone }}">{{ call.request_judgement|truncate(160) }}</td>
<td class="{{ call.reply_judgement|tone }}">{{ call.reply_judgement|truncate(80) }}</td></tr>
{% endfor %}</table>{% else %}<p class="note">None yet.</p>{% endif %}
{% endblock %}""",
    "call": """{% extends "page" %}
{% block title %}Call {{ call.number }}{% endblock %}
{% block body %}<p><a href="../calls">All calls</a>{% if before %} · <a href="{{ before }}">previous</a>{% endif %}
{% if after %} · <a href="{{ after }}">next</a>{% endif %}</p>
<h1>Call {{ call.number }}: {{ call.operation or call|otherwise }}{% if call.code %}, {{ call.code }}{% endif %}</h1>
{% if call.note %}<p class="note">{{ call.note|capitalize }}.</p>{% endif %}
<dl><dt>Received</dt><dd>{{ call.at }} from {{ call.address or "an unknown address" }}</dd>
<dt>Answered</dt><dd>{{ "HTTP %d"|format(call.status) if call.status else "not at all: the connection was closed" }}
after {{ "%.1f"|format(call.milliseconds) }} ms</dd>
<dt>Request</dt><dd class="{{ call.request_judgement|tone }}">{{ call.request_judgement or "not judged" }}</dd>
<dt>Reply</dt><dd class="{{ call.reply_judgement|tone }}">{{ call.reply_judgement or "not judged" }}</dd></dl>
<h2>Request</h2>
<pre>{{ call.method }} {{ call.path }} HTTP/{{ call.http_version }}
{% for name, value in call.request_headers %}{{ name }}: {{ value }}
{% endfor %}</pre>
<p>{{ call.request_bytes }} bytes{% if call.request %}; XML is shown indented, OrgPassword masked:{% endif %}</p>
{% if call.request %}<pre>{{ call.request }}</pre>{% endif %}
<h2>Reply</h2>
{% if call.status %}<pre>HTTP/1.1 {{ call.status }}
{% for name, value in call.reply_headers %}{{ name }}: {{ value }}
{% endfor %}</pre>
<p>{{ call.reply_bytes }} bytes{% if call.reply %}, indented if XML:{% endif %}</p>
{% if call.reply %}<pre>{{ call.reply }}</pre>{% endif %}{% else %}<p class="note">There was none.</p>{% endif %}
{% endblock %}""",
    "missing": """{% extends "page" %}
{% block title %}No such call{% endblock %}
{% block body %}<h1>No such call</h1><p>Only the last {{ most }} are remembered. <a href="../calls">Those there are</a></p>
{% endblock %}""",
}


def _tone(judgement: str) -> str:
    return "good" if judgement == VALID else "bad" if judgement else ""


def _otherwise(call: Call) -> str:
    """What to call a request that names no operation."""
    return "no operation" if call.path.partition("?")[0] == contract.ENDPOINT else f"{call.method} {call.path}"


def _clock(moment: str) -> str:
    return datetime.datetime.fromisoformat(moment).strftime("%H:%M:%S.%f")[:-3]


_PAGES = jinja2.Environment(loader=jinja2.DictLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
_PAGES.filters |= {"tone": _tone, "clock": _clock, "otherwise": _otherwise}


class Pages:
    """An ASGI application that shows the calls in `spool` and passes everything else on to `inner`."""

    def __init__(self, inner: Any, spool: Spool, settings: Settings):
        self._inner = inner
        self._spool = spool
        self._settings = settings

    def now(self) -> datetime.datetime:
        """The time now, in England."""
        return self._inner.now()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        ours = path in ("/calls", "/calls.json") or _ONE.fullmatch(path)
        if scope["type"] != "http" or not ours or scope["method"] not in ("GET", "HEAD"):
            await self._inner(scope, receive, send)
            return
        response = self._response(scope)
        length = (b"content-length", b"%d" % len(response.body))
        headers = [(b"content-type", response.content_type.encode()), length, *_SAFE]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})

    def _response(self, scope: dict[str, Any]) -> Response:
        came_from = origin.of(scope, self._settings)
        if not probes.may_watch(scope, came_from, self._settings.monitoring_from):
            return Response(403, TEXT, b"Calls are shown to this machine and to the setting monitoring_from.\n")
        path = scope["path"]
        if path == "/calls.json":
            query = parse_qs(scope["query_string"].decode("latin-1"))
            calls = self._spool.calls(_number(query, "last", MOST_CALLS), _number(query, "after", 0))
            body = json.dumps([dataclasses.asdict(call) for call in calls], ensure_ascii=False)
            return Response(200, JSON, body.encode() + b"\n")
        if path == "/calls":
            return _page("calls", calls=self._spool.calls()[::-1])
        return self._one(int(_ONE.fullmatch(path)[1]))

    def _one(self, number: int) -> Response:
        call = self._spool.call(number)
        if call is None:
            return _page("missing", 404)
        before, after = (self._spool.call(number + step) for step in (-1, 1))
        return _page("call", call=call, before=before and before.number, after=after and after.number)


def _page(name: str, status: int = 200, **values: Any) -> Response:
    page = _PAGES.get_template(name).render(most=MOST_CALLS, **values)
    return Response(status, _HTML, page.encode("utf-8", "replace"))


def _number(query: dict[str, list[str]], name: str, otherwise: int) -> int:
    value = query.get(name, [""])[-1]
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else otherwise
