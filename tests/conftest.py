"""What holds for every test."""

from quiet_log import announced, expect_log, pytest_configure, quiet_log

__all__ = ["announced", "expect_log", "pytest_configure", "quiet_log"]
