# SPDX-License-Identifier: MIT
"""
Signals of a process that waits for its child.

A key of the terminal (Ctrl-C, Ctrl-Z) and a hang-up reach the whole group, and so the child, by
themselves.  What another process sends to this one alone is passed on.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# Those that end a process unless it handles them.
_ENDING = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM),
)
_PASSED_ON = (*_ENDING, signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH)
_WAITED = frozenset({*_PASSED_ON, signal.SIGCHLD})

# Those that a terminal sends.
_OF_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH, signal.SIGHUP)

# `si_code` of a signal that no process sent: SI_KERNEL of <asm-generic/siginfo.h>.
_SI_KERNEL = 0x80
# Until an exception is raised again that has had no effect.
_RAISE_AGAIN = 0.5  # seconds
# Another thread, left by a login that timed out, may catch a signal that is blocked here.
_LOOK_AGAIN = 0.25  # seconds


class Interrupted(KeyboardInterrupt):
    """
    A signal that ends this process came while there was no child.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Signals:
    """
    Blocks signals while entered, so that none interrupts a clean-up; they can be waited for.

    Attributes:
        mask: The signals that were blocked before.
    """

    def __init__(self) -> None:
        self.mask: set[signal.Signals] = set()
        self._raises = self._is_alone = False
        self._due = 0
        self._caught: list[int] = []
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Signals:
        self.mask = {signal.Signals(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)}
        for number in _ENDING:
            # `nohup` has one ignored, and means the child.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._catch)
        # Ignored, as macOS does by default, it could not be waited for, and nor could a child.
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)

    @contextmanager
    def raised(self) -> Iterator[None]:
        """
        While entered, raise `Interrupted` for a signal that ends this process.
        """
        self._raises = True
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)
            yield
        finally:
            # Not in one step: a handler that is due runs in the call, and may raise there.
            try:
                signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)
            finally:
                self._raises = False
                self._is_alone = threading.active_count() == 1
                self._end_if_due()

    def _end_if_due(self) -> None:
        if not self._due:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        if signal.SIGALRM in signal.sigpending():
            signal.sigwait([signal.SIGALRM])
        raise Interrupted(self._due)

    def next(self) -> tuple[int, bool]:
        """
        Wait for a signal; return it, and whether the child has got it, too.

        It may be SIGCHLD without one.
        """
        if self._caught:
            number = self._caught.pop(0)
            return number, self._is_typed(number)
        if not hasattr(signal, "sigtimedwait"):  # macOS
            number = int(signal.sigwait(_WAITED))
            return number, self._is_typed(number)
        info: signal.struct_siginfo | None
        if self._is_alone:
            info = signal.sigwaitinfo(_WAITED)
        else:
            # Such as SIGCHLD: so look for the child in any case.
            info = signal.sigtimedwait(_WAITED, _LOOK_AGAIN)
        if info is None:
            return signal.SIGCHLD, True
        return info.si_signo, _has_reached_group(info.si_signo, info.si_code)

    @staticmethod
    def _is_typed(number: int) -> bool:
        """
        Return whether a terminal probably sent *number*, where the system does not tell.
        """
        if number not in _OF_TERMINAL or (number == signal.SIGHUP and _leads_session()):
            return False
        try:
            terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return False
        finally:
            os.close(terminal)

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        if not self._raises:
            self._caught.append(number)
            return
        self._due = self._due or number
        # The interpreter drops an exception in a destructor or a callback: so once more.
        signal.setitimer(signal.ITIMER_REAL, _RAISE_AGAIN)
        raise Interrupted(self._due)


def _has_reached_group(number: int, code: int) -> bool:
    """
    Return whether the kernel has sent the signal *number* to the whole process group.

    A terminal that hangs up tells the leader of the session only.
    """
    return code == _SI_KERNEL and not (number == signal.SIGHUP and _leads_session())


def _leads_session() -> bool:
    return os.getsid(0) == os.getpid()
