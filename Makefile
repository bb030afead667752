# SPDX-License-Identifier: MIT
# `make test` is `./dev test`, and so on; `./dev` needs no make.

.PHONY: run test soak long oldest bench fmt setup clean

run test soak long oldest bench fmt setup clean:
	@sh ./dev $@
