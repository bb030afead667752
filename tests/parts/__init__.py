# SPDX-License-Identifier: MIT
"""
Real parts for tests to stand on: registries, clouds, engines and clients that nobody here wrote.

    needed      finding a program, or saying how to get it
    processes   starting one, waiting until it answers, stopping that one
    ca          a certificate authority that only a test trusts
    cncf        the CNCF distribution registry
    tokens      a token server for it
    aws         moto, and a front that refuses, throttles and checks keys as AWS does
    engine      a Docker Engine
    netns       a network of a test's own
    images      a tiny image
    clients     docker CLI, skopeo, devcontainer CLI, in an environment of their own

`integration/conftest.py` makes fixtures of them.
"""
