# SPDX-License-Identifier: MIT
"""
docker's config.json: reading and changing it.
"""
