//! Fuzzing: everything of the project that receives bytes, as targets with checks.
//!
//! A target is a function of bytes that panics at a finding. Its program, in `fuzz_targets`, runs it
//! under libFuzzer; `tests/replay.rs` runs it on the seeds and on the kept inputs. `cargo xtask fuzz`
//! builds and runs all programs.
//!
//! The store's functions come from the generated list of `tests/simulation`, their routes from
//! their descriptions, and most seeds from `tests/events`. So a new function is covered at once.

pub mod answers;
pub mod items;
pub mod mutate;
mod network;
pub mod seeds;
pub mod store;
pub mod targets;

/// A seed: the name of its file, and its bytes.
pub type Seed = (String, Vec<u8>);

/// Mutates the first bytes of a buffer with libFuzzer's help, and returns how many are used then.
pub type Mutate = fn(&mut [u8], usize, usize, u32, mutate::Raw<'_>) -> usize;

/// A target.
pub struct Target {
    /// The name of its program.
    pub name: &'static str,
    /// Runs it on an input, and panics at a finding.
    pub run: fn(&[u8]),
    /// The inputs to begin with.
    pub seeds: fn() -> Vec<Seed>,
    /// How inputs are mutated.
    pub mutate: Mutate,
    /// The longest input.
    pub max_len: usize,
    /// Texts that inputs are made of.
    pub dictionary: &'static [&'static str],
}

/// The program of a target, in a file of `fuzz_targets`.
#[macro_export]
macro_rules! program {
    ($target:path) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| ($target.run)(data));
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            let raw = &mut libfuzzer_sys::fuzzer_mutate;
            ($target.mutate)(data, size, max_size, seed, raw)
        });
    };
}
