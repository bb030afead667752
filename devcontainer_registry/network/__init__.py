# SPDX-License-Identifier: MIT
"""
Talking to registries, token servers and proxies.
"""
