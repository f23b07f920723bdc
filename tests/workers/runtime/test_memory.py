"""What a process asks of the C library's memory."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_LARGE_BLOCK_AGAIN = """
import ctypes, sys
from workers.runtime.memory import tune_malloc

class Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Counts
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
if sys.argv[1] == "told":
    assert tune_malloc()
libc.free(libc.malloc(4_000_000))
before = libc.mallinfo2().hblks
libc.malloc(1_000_000)
print(libc.mallinfo2().hblks - before)
"""


def maps_of_its_own(told: str) -> int:
    """How many maps of its own a block of 1 MB gets, after one of 4 MB was freed."""
    run = subprocess.run(
        [sys.executable, "-c", _LARGE_BLOCK_AGAIN, told], capture_output=True, text=True, check=True, timeout=60
    )
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_a_big_block_never_lies_in_the_heap_among_small_ones() -> None:
    assert maps_of_its_own("untold") == 0, "this C library does not move its limit: nothing is to be told"
    assert maps_of_its_own("told") == 1
