# SPDX-License-Identifier: MIT
"""
Identities that an issuer vouches for, in place of stored secrets.
"""
