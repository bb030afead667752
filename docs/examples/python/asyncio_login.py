# SPDX-License-Identifier: MIT
"""
Log in from asyncio, without blocking the event loop, and log each step.
"""

import asyncio
import logging

import devcontainer_registry as registry


async def log_in() -> registry.LoginReport:
    observe = registry.logging_observer(logging.getLogger("setup"))
    return await asyncio.to_thread(registry.login, timeout=15, observe=observe)


async def main() -> None:
    report = await log_in()
    for outcome in report:
        print(outcome.id, outcome.registry, outcome.status)
    report.raise_for_status()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
