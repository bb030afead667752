# SPDX-License-Identifier: MIT
"""
Diagnosis of a failing pull: the steps that docker takes.
"""
