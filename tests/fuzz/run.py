"""The coverage-guided fuzzer; options are libFuzzer's: `python tests/fuzz/run.py -max_total_time=600`.

Coverage is that of our own modules behind the XML door. An input that made a finding is written to the directory of
-artifact_prefix; copy it to tests/fuzz/findings, where test_fuzz replays it for good.
"""

import random
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["lrs_soap.wire", "lrs_soap.binding", "lrs_soap.operations", "lrs_soap.rules"]):
    from fuzz import mutation, seeds, target


def main() -> None:
    """Runs until libFuzzer's limits, on a temporary register."""
    with tempfile.TemporaryDirectory() as directory:
        corpus = Path(directory) / "corpus"
        corpus.mkdir()
        starts = seeds.seeds()
        for number, start in enumerate(starts):
            (corpus / f"{number:04}").write_bytes(start)
        others = [start[1:] for start in starts]
        register = target.Target(Path(directory))

        def mutated(data: bytes, max_size: int, seed: int) -> bytes:
            rng = random.Random(seed)
            if rng.random() < 0.1:
                return atheris.Mutate(data, max_size)
            return mutation.mutate(data, rng, others)[:max_size]

        options = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=20000", "-print_final_stats=1", str(corpus)]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:]], register.check, custom_mutator=mutated)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
