# SPDX-License-Identifier: MIT
"""
Requests to AWS for a registry's password.
"""
