# SPDX-License-Identifier: MIT
"""
Requests to the clouds for registry credentials.
"""
