"""A program in a pseudo-terminal, looked at through a terminal emulator."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

PATIENCE = 15.0


class Driven:
    """The program in a terminal of the given size; everything it writes is kept."""

    def __init__(self, argv, *, env, cwd=None, rows=24, columns=80):
        self.screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._master, slave = pty.openpty()
        self._size(slave, rows, columns)
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={"TERM": "xterm-256color", **env},
            cwd=cwd,
        )
        os.close(slave)

    def _size(self, descriptor, rows, columns):
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self._size(self._master, rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def send(self, text):
        os.write(self._master, text.encode())

    def read(self, seconds):
        """Take in what is written within `seconds`; False at the end of the program."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        if not data:
            return False
        self.written += data
        self._stream.feed(data)
        return True

    def read_for(self, seconds):
        """Take in what is written for as long as this."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read(0.1):
            pass

    @property
    def shown(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def everything(self):
        """Scrollback and screen."""
        above = [
            "".join(row[x].data for x in range(self.screen.columns)).rstrip()
            for row in self.screen.history.top
        ]
        return "\n".join([*above, self.shown])

    def until(self, condition):
        """Wait until `condition(self)` or a text on the screen; fails with the screen shown."""
        wanted = condition if callable(condition) else lambda d: condition in d.shown
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if wanted(self):
                return
            if not self.read(0.1):
                assert wanted(self), f"ended early:\n{self.shown}"
                return
        raise AssertionError(f"waited in vain for {condition!r}:\n{self.shown}")

    def finish(self):
        """Its exit code, once it has ended by itself."""
        end = time.monotonic() + PATIENCE
        while self.read(0.1):
            assert time.monotonic() < end, f"it does not end:\n{self.shown}"
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)
