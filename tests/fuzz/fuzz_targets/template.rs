//! The target `template` under libFuzzer.

#![no_main]

store_fuzz::program!(store_fuzz::targets::TEMPLATE);
