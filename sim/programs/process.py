"""One program at work: a process that reads lines and answers them, and that cannot keep anybody waiting for ever."""

import os
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from select import POLLIN, POLLOUT, poll
from subprocess import PIPE, Popen, TimeoutExpired
from tempfile import mkstemp
from time import monotonic
from typing import IO, NamedTuple, cast

from sim.programs.protocol import shown
from sim.routing.policies.port import PolicyError


class Limits(NamedTuple):
    """How long a program may take for one line by the clock on the wall. Taking longer ends a run, and changes none."""

    first_s: float = 30.0
    """Until it has answered once: a busy machine may take long to start an interpreter."""
    later_s: float = 10.0


LIMITS = Limits()
_END_LIMIT_S = 1.0
"""How long a program may take to end once its input has ended; then it is killed."""
_MOST_BYTES = 64 * 1024
"""Length of the longest line that a program may write."""
_LAST_ERRORS_BYTES, _LAST_ERRORS_LINES = 2000, 10


@dataclass(frozen=True, slots=True)
class Program:
    """A program that picks. It is started in its own folder, whoever names it, so that it finds what lies beside it."""

    path: Path


class ProgramProcess:
    """Asks the program line by line. Whatever it does wrong is raised as a PolicyError that says what it did."""

    def __init__(self, program: Program, variables: dict[str, str], limits: Limits = LIMITS) -> None:
        """Start the program, with the variables beside those of our own environment."""
        self.limits = limits
        self._has_answered = False
        self._opened = ExitStack()
        try:
            # A file, because a pipe that nobody empties would stop the program.
            self._errors, path = mkstemp(prefix="sim-program-")
            os.unlink(path)
            self._opened.callback(os.close, self._errors)
            # In a group of its own: Ctrl-C at the terminal is ours, and what the program starts ends with it.
            self._process = Popen(
                [program.path],
                cwd=program.path.parent,
                env={**os.environ, **variables},
                stdin=PIPE,
                stdout=PIPE,
                stderr=self._errors,
                bufsize=0,
                process_group=0,
            )
        except OSError as error:
            self._opened.close()
            raise PolicyError(f"cannot be started: {error.strerror}") from None
        self._input = self._opened.enter_context(cast("IO[bytes]", self._process.stdin))
        self._output = self._opened.enter_context(cast("IO[bytes]", self._process.stdout))
        os.set_blocking(self._input.fileno(), False)
        self._readable, self._writable = poll(), poll()
        self._readable.register(self._output, POLLIN)
        self._writable.register(self._input, POLLOUT)

    def ask(self, line: bytes) -> bytes:
        """Return the line by which the program answers this one."""
        self.tell(line)
        limit_s = self._limit_s
        deadline_s = monotonic() + limit_s
        answer = b""
        while b"\n" not in answer:
            if len(answer) > _MOST_BYTES:
                raise self.failure(f"wrote {shown(answer)}, a line of more than {_MOST_BYTES // 1024} KiB")
            if not self._readable.poll(_ms_until(deadline_s)):
                began = f"; it has written {shown(answer)}, which is no whole line" if answer else ""
                hint = "does it flush its output after each line?"
                raise self.failure(f"has not answered for {limit_s:g} s{began}; {hint}")
            piece = os.read(self._output.fileno(), _MOST_BYTES)
            if not piece:
                raise self._end()
            answer += piece
        if answer.index(b"\n") != len(answer) - 1:
            raise self.failure(f"wrote {shown(answer)}; allowed: one line for each pick")
        self._has_answered = True
        return answer

    def tell(self, line: bytes) -> None:
        """Write the line; nothing is to be answered. A program that has been ended is told nothing more."""
        if self._input.closed:
            return
        if self._readable.poll(0):
            self._refuse_unasked()
        limit_s = self._limit_s
        deadline_s = monotonic() + limit_s
        while line:
            try:
                # None if not even one byte fits into the pipe now.
                line = line[self._input.write(line) or 0 :]
            except BrokenPipeError:
                raise self._end() from None
            if line and not self._writable.poll(_ms_until(deadline_s)):
                raise self.failure(f"has not read its input for {limit_s:g} s")

    def end_input(self) -> None:
        """Let the program know that nothing more will come."""
        self._input.close()

    def finish(self) -> None:
        """Let the program end by itself, for a second at most; PolicyError if it has written without being asked."""
        if self._readable.poll(_ms_until(monotonic() + _END_LIMIT_S)):
            self._refuse_unasked()
            self.ends_by_itself()

    def ends_by_itself(self, limit_s: float = _END_LIMIT_S) -> bool:
        """Wait for the program to end, and tell whether it has."""
        with suppress(TimeoutExpired):
            self._process.wait(limit_s)
        return self._process.returncode is not None

    def kill(self) -> None:
        """End the program and what it has started, at once; a signal's handler may call it."""
        # Its number belongs to nobody else before we have waited for it.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the program, and let go of its pipes."""
        self.kill()
        self._process.wait()
        self._opened.close()

    def failure(self, text: str) -> PolicyError:
        """Return the error, with the last lines that the program wrote to its standard error."""
        # Not by `seek`, which would move the place at which the program writes.
        size = os.fstat(self._errors).st_size
        last = os.pread(self._errors, _LAST_ERRORS_BYTES, max(0, size - _LAST_ERRORS_BYTES))
        lines = last.decode(errors="backslashreplace").splitlines()[-_LAST_ERRORS_LINES:]
        return PolicyError("\n    ".join([f"{text}; its standard error ends with:", *lines]) if lines else text)

    @property
    def _limit_s(self) -> float:
        return self.limits.later_s if self._has_answered else self.limits.first_s

    def _refuse_unasked(self) -> None:
        piece = os.read(self._output.fileno(), _MOST_BYTES)
        if piece:
            raise self.failure(f"wrote {shown(piece)} without being asked; allowed: one line for each pick")

    def _end(self) -> PolicyError:
        """Return the error that the program has ended, or left its pipes."""
        if not self.ends_by_itself():
            return self.failure("has closed its input or output, and is still running")
        code = self._process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
        return self.failure(f"{how} before its input had ended")


def _ms_until(deadline_s: float) -> int:
    return max(0, ceil((deadline_s - monotonic()) * 1000))
