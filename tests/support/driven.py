"""AsyncLrsClient driven from tests that do not wait: each call runs to its end on an event loop of its own."""

import asyncio
import inspect

from lrs_soap import client


class Driven:
    """An AsyncLrsClient whose methods answer as those of LrsClient do."""

    def __init__(self, *args, **options):
        self._runner = asyncio.Runner()
        self._client = client.AsyncLrsClient(*args, **options)

    def __getattr__(self, name):
        member = getattr(self._client, name)
        if not inspect.iscoroutinefunction(member):
            return member
        return lambda *args, **options: self._runner.run(member(*args, **options))

    def __repr__(self):
        return repr(self._client)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()
        self._runner.close()
