"""Where the files that ship beside the code are: the contract and the fixtures."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def directory(name: str) -> Path:
    """The directory `name` ("wsdl", "schemas" or "fixtures").

    An installed wheel carries it inside the package; a source checkout has it at the top level.
    Raises FileNotFoundError when neither is there, which means the installation is broken.
    """
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the directory {name!r} is missing from this installation of lrs_soap: install it again")
