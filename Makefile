# SPDX-License-Identifier: MIT
# `make test` is `./dev test`, and so on; `./dev` needs no make.

.PHONY: run test soak oldest bench fmt setup clean

run test soak oldest bench fmt setup clean:
	@sh ./dev $@
