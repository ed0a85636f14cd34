"""Fuzz the decoder: broken images must be refused with `Unreadable`, and nothing else may happen.

    tools/bench.sh fuzz [--seconds 60] [--own] [--pixels 10000000]

The corpus of the tests is changed by bits, cuts, splices and lengths, with the checksums of PNG set right again.
atheris, which is installed into `.cache/benchmarks`, follows what code an input reaches; where it cannot be had, or
with `--own`, inputs are only random. An input that fails is kept in `.cache/benchmarks/fuzz` and its name printed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "benchmarks"
KEPT = CACHE / "fuzz"
MOST_BYTES = 200_000
MOST_MEGABYTES = 2000
SLOWEST = 10  # seconds; an input that takes longer is a failure
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def seeds() -> list[bytes]:
    """Return the files of the corpus that are small enough to be changed quickly."""
    sys.path.insert(0, str(ROOT / "tests" / "python"))
    from oddities import bombs, damaged, fine_files, fine_jpegs, no_images, truncated

    broken = {**no_images(), **truncated(), **damaged(), **bombs()}
    contents = [*(content for content, _ in broken.values()), *fine_jpegs().values(), *fine_files().values()]
    return [content for content in contents if 0 < len(content) <= MOST_BYTES]


def mutate(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """Return the content with one to eight changes."""
    new = bytearray(content or b"\0")
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        # Headers decide more than pixels do.
        place = chance.randrange(len(new) if chance.random() < 0.5 else min(len(new), 200))
        kind = chance.randrange(8)
        if kind == 0:
            new[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            new[place] = chance.randrange(256)
        elif kind == 2:  # a length, a size or an offset
            width, order = chance.choice((1, 2, 4)), chance.choice(("big", "little"))
            value = chance.choice(EXTREMES) & (1 << 8 * width) - 1
            new[place : place + width] = value.to_bytes(width, order)
        elif kind == 3:
            del new[place:]
        elif kind == 4:
            del new[place : place + chance.randint(1, 64)]
        elif kind == 5:
            new[place:place] = new[place : place + chance.randint(1, 64)] * chance.randint(1, 4)
        elif kind == 6:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            new[place : place + chance.randint(0, 200)] = other[start : start + chance.randint(1, 2000)]
        else:
            new[place : place + 4] = chance.randbytes(4)
        new = new or bytearray(b"\0")
    return with_checksums(bytes(new[:MOST_BYTES])) if chance.random() < 0.7 else bytes(new[:MOST_BYTES])


def with_checksums(content: bytes) -> bytes:
    """Return a PNG with the checksums that its chunks should have; anything else as it is."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    new, place = bytearray(content), 8
    while place + 12 <= len(new):
        stop = place + 8 + int.from_bytes(new[place : place + 4], "big")
        if stop + 4 > len(new):
            break
        new[stop : stop + 4] = struct.pack(">I", zlib.crc32(new[place + 4 : stop]))
        place = stop + 4
    return bytes(new)


class Target:
    """Decode an input in one of the ways that models ask for."""

    def __init__(self, pixels: int) -> None:
        from imagesasdata.decode import COLOURS, RULES, Limits, Preprocessing, decode_image
        from imagesasdata.reading import Unreadable

        warnings.simplefilter("ignore")
        self._decode, self._unreadable, self._limits = decode_image, Unreadable, Limits(max_pixels=pixels)
        self._steps = [Preprocessing(size=32, resize=36, rule=r, colour=c) for r in RULES for c in COLOURS]
        self.read = self.refused = 0

    def __call__(self, content: bytes) -> None:
        steps = self._steps[zlib.crc32(content) % len(self._steps)]
        try:
            pixels = self._decode(content, steps, self._limits)
        except self._unreadable as problem:
            self.refused += 1
            assert str(problem) and "\n" not in str(problem), repr(problem)
        else:
            self.read += 1
            assert pixels.shape == (32, 32, steps.channels)


def fuzz_alone(seconds: float, pixels: int) -> None:
    """Try random changes; one process, whose last input is on the disk should it die."""
    import resource

    target, corpus = Target(pixels), seeds()
    chance, start, worst = random.Random(1), time.monotonic(), 0.0
    while (now := time.monotonic()) - start < seconds:
        content = mutate(chance.choice(corpus), chance, corpus)
        (KEPT / "last").write_bytes(content)
        target(content)
        worst = max(worst, time.monotonic() - now)
    print(f"stat::number_of_executed_units: {target.read + target.refused}")
    print(f"stat::slowest_unit_time_sec: {worst:.2f}")
    print(f"stat::peak_rss_mb: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")
    print(f"read: {target.read}")


def fuzz_guided(seconds: float, pixels: int) -> None:
    """Let atheris choose what to change: it keeps each input that reaches new code."""
    import atheris

    with atheris.instrument_imports(
        include=["imagesasdata.decode", "imagesasdata.reading", "imagesasdata.bounded", "PIL"]
    ):
        target = Target(pixels)
    corpus, folder = seeds(), KEPT / "corpus"
    folder.mkdir(exist_ok=True)
    for content in corpus:
        (folder / f"{zlib.crc32(content):08x}").write_bytes(content)

    def change(content: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.3:
            return bytes(atheris.Mutate(content, most))
        return mutate(content, chance, corpus)[:most]

    options = [
        f"-max_total_time={int(seconds)}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={SLOWEST}",
        "-print_final_stats=1",
    ]
    options += [f"-rss_limit_mb={MOST_MEGABYTES}", f"-artifact_prefix={KEPT}/", "-verbosity=0", str(folder)]
    atheris.Setup(["fuzz", *options], target, custom_mutator=change)
    atheris.Fuzz()


def install_atheris() -> bool:
    """Put atheris where nothing else is, and say whether it can be used."""
    folder = CACHE / "atheris"
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
        done = subprocess.run([*command, str(folder), "--no-deps", "atheris"], check=False, capture_output=True)
        if done.returncode != 0:
            return False
    sys.path.insert(0, str(folder))
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/bench.sh fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: %(default)g)")
    parser.add_argument("--own", action="store_true", help="without atheris")
    parser.add_argument("--pixels", type=int, default=10_000_000, help="limit of pixels (default: %(default)s)")
    parser.add_argument("--child", choices=["guided", "alone"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    if options.child:
        if options.child == "guided":
            install_atheris()
        (fuzz_guided if options.child == "guided" else fuzz_alone)(options.seconds, options.pixels)
        return 0
    kind = "guided" if not options.own and install_atheris() else "alone"
    print(
        f"Fuzzing for {options.seconds:g} s, {'with atheris' if kind == 'guided' else 'without atheris'}.", flush=True
    )
    before = set(KEPT.iterdir())
    command = [sys.executable, __file__, "--child", kind, "--seconds", str(options.seconds)]
    done = subprocess.run(
        [*command, "--pixels", str(options.pixels)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    output = done.stdout.decode(errors="replace")
    (KEPT / "log.txt").write_text(output)
    stats = {name: float(value) for name, value in re.findall(r"stat::(\w+):\s+([\d.]+)", output)}
    inputs = int(stats.get("number_of_executed_units", 0))
    print(
        f"{inputs:,} inputs, {inputs / options.seconds:,.0f} a second; the slowest took "
        f"{stats.get('slowest_unit_time_sec', 0):g} s; peak memory {stats.get('peak_rss_mb', 0):,.0f} MB"
    )
    if done.returncode != 0:
        kept = sorted(str(path) for path in set(KEPT.iterdir()) - before if path.is_file() and path.name != "log.txt")
        print(output[-4000:], f"\nFAILED with {done.returncode}; input(s): {kept or [str(KEPT / 'last')]}", sep="")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
