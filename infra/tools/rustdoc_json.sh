#!/bin/sh
# rustdoc with the options that only nightly versions have. Nothing else sees this variable: build
# scripts that watch it would run again.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
