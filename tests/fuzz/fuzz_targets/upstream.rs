//! The target `upstream` under libFuzzer.

#![no_main]

store_fuzz::program!(store_fuzz::targets::UPSTREAM);
