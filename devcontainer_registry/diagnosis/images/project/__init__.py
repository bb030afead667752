# SPDX-License-Identifier: MIT
"""
Compose projects: their files, their services, and the images of these.
"""
