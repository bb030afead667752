# SPDX-License-Identifier: MIT
"""
The command line and what a lifecycle step runs.
"""
