# SPDX-License-Identifier: MIT
"""
Starting a program in the background, waiting until it says that it is up, stopping that one.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time


class Background:
    """
    A process of a test's own, with its output in a file.

    Args:
        argv: What to run.
        log: Path of the file that gets its stdout and stderr.
        env: Its whole environment.
        stop_with: The signal that asks it to end.
    """

    def __init__(self, argv, *, log, env, stop_with=signal.SIGTERM):
        self.log_path = str(log)
        self._stop_with = stop_with
        with open(self.log_path, "ab") as output:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env
            )

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for(self, pattern, *, seconds=30.0):
        """
        Wait until *pattern* is in the log, and return the match.
        """
        return self.wait_until(lambda: re.search(pattern, self.log()), seconds=seconds)

    def wait_until(self, answers, *, seconds=30.0):
        """
        Wait until *answers()* is true, and return what it returned.
        """
        end = time.monotonic() + seconds
        while True:
            answer = answers()
            if answer:
                return answer
            if self._process.poll() is not None:
                msg = f"ended with {self._process.returncode} before it was up:\n{self.log()}"
                raise RuntimeError(msg)
            if time.monotonic() > end:
                msg = f"not up after {seconds} s:\n{self.log()}"
                raise RuntimeError(msg)
            time.sleep(0.02)

    def stop(self, *, seconds=15.0):
        """
        Ask it to end, and end it if it does not within *seconds*.
        """
        if self._process.poll() is None:
            self._process.send_signal(self._stop_with)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
