"""What structlog may load."""

import subprocess
import sys


def test_a_server_does_not_load_rich_and_commands_still_can():
    program = (
        "import sys\n"
        "from lrs_soap import server, worker\nfrom lrs_soap.wire import app\n"
        "print(*{'structlog', 'rich', 'pygments'} & set(sys.modules))\n"
        "from rich import console"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["structlog"]
