"""The small page for people who open the server in a browser."""

import html
import string

_ROOT = string.Template("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>lrs_soap: Learner Registration Service</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
code{background:#eee;padding:.1em .3em}</style></head>
<body>
<h1>Learner Registration Service</h1>
<p>This is <b>lrs_soap</b>: a register of learners and their Unique Learner Numbers that speaks the LearnerService
contract of 2008 (SOAP 1.1). It is not the national service.</p>
$notice
<ul>
<li>WSDL: <a href="$address?wsdl">$address?wsdl</a></li>
<li>Endpoint (POST, <code>text/xml</code>): <code>$address</code></li>
<li>Codes and enumerations: <a href="$codes">$codes</a></li>
</ul>
</body>
</html>
""")

_SANDBOX = (
    "<p><b>Sandbox:</b> its passwords are published and its learners invented. Put no real data here. "
    '<a href="calls">The calls it received</a></p>'
)


def root(address: str, sandbox: bool) -> bytes:
    """The page at /: what this is and where the WSDL is. address: the endpoint's URL as the visitor sees it."""
    escaped = html.escape(address)
    codes = escaped.rpartition("/")[0] + "/codes.json"
    return _ROOT.substitute(address=escaped, codes=codes, notice=_SANDBOX if sandbox else "").encode()
