"""`python -m lrs_soap` is `lrs-soap`."""

from lrs_soap.cli.main import main

main()
