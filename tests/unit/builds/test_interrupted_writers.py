"""An interrupt ends the writing of a cube, and a second one does not let a thread write into another file."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

import pytest

from tessera.builds.layers import Words
from tessera.builds.writing.blocks import plan_local_blocks
from tessera.builds.writing.writer import CubeWriter
from tessera.cubes.layout import CubeLayout

LAYOUT = CubeLayout(8, 6, 2, 2)


class SlowLayer:
    """A source that interrupts the main thread twice while it is read, and delivers when that has left the writer."""

    def __init__(self) -> None:
        self.cadences = [0, 1]
        self.interrupts = 0
        self.left = threading.Event()
        self.thread = threading.current_thread()

    def interrupted(self, _number: int, frame: FrameType | None) -> None:
        """Raise in the writer only: the second interrupt may come when it has ended."""
        self.interrupts += 1
        while frame is not None:
            if frame.f_code is CubeWriter.write.__code__:
                raise KeyboardInterrupt
            frame = frame.f_back

    def fill(self, out: Words, first_pixel: int) -> None:
        self.thread = threading.current_thread()
        for n in (1, 2):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            while self.interrupts < n:
                time.sleep(0.01)
            time.sleep(0.1)
        self.left.wait(30)
        out[:] = first_pixel + 1

    def check_unchanged(self) -> None:
        pass


def test_a_thread_that_delivers_after_two_interrupts_writes_into_no_other_file(tmp_path: Path) -> None:
    layer = SlowLayer()
    plan = plan_local_blocks(LAYOUT, 1, 1)
    hdu = b" " * 2880
    writer = CubeWriter(tmp_path / "cube.fits", LAYOUT, [layer], hdu, hdu, "id", plan, 1, lambda *_: None)
    before = signal.signal(signal.SIGINT, layer.interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            writer.write()
        first, second = (os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in ("other", "another"))
        layer.left.set()
        layer.thread.join(30)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not layer.thread.is_alive()
    assert (os.fstat(first).st_size, os.fstat(second).st_size) == (0, 0)
    os.close(first)
    os.close(second)
