//! Runs each target on mutated seeds, without libFuzzer: quick, and blind.
//!
//! `ROUNDS=10000 TARGET=token cargo test --workspace --test mutated` looks longer, at one target.

use std::panic::catch_unwind;

use simulation::random::{Random, Seeded};
use store_fuzz::targets;

#[test]
fn no_mutated_seed_is_a_finding() {
    let set = |name: &str| std::env::var(name).ok();
    let rounds: usize = set("ROUNDS").and_then(|it| it.parse().ok()).unwrap_or(50);
    let first: u64 = set("FIRST").and_then(|it| it.parse().ok()).unwrap_or(1);
    let only = set("TARGET");
    let mut findings = Vec::new();
    for target in targets::ALL {
        if only.as_ref().is_some_and(|only| only != target.name) {
            continue;
        }
        let seeds = (target.seeds)();
        for round in 0..rounds {
            let mut random = Seeded::new(first + round as u64);
            let (name, seed) = &seeds[random.index(seeds.len())];
            let mut bytes = seed.clone();
            for _ in 0..=random.below(3) {
                bytes = mutated(&bytes, target, &mut random);
            }
            if catch_unwind(|| (target.run)(&bytes)).is_err() {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                findings.push(format!("{} {name} {}: {text}", target.name, first + round as u64));
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

fn mutated(bytes: &[u8], target: &store_fuzz::Target, random: &mut Seeded) -> Vec<u8> {
    let mut buffer = bytes.to_vec();
    buffer.resize(target.max_len, 0);
    let mut own = Seeded::new(random.bits());
    let mut raw = |data: &mut [u8], size: usize, max: usize| changed(data, size, max, &mut own);
    let seed = u32::try_from(random.below(u32::MAX.into())).unwrap_or_default();
    let size = (target.mutate)(&mut buffer, bytes.len(), target.max_len, seed, &mut raw);
    buffer.truncate(size);
    buffer
}

/// Changes, adds or removes a few bytes.
fn changed(data: &mut [u8], size: usize, max: usize, random: &mut Seeded) -> usize {
    const BYTES: &[u8] = b"\0\x7f\xff\xc3\x28 \"\\{}[]:,.-+0189aAeE%&=/?*~\n\r\t";
    let mut bytes = data[..size].to_vec();
    for _ in 0..=random.below(3) {
        let at = random.index(bytes.len());
        let drawn = BYTES[random.index(BYTES.len())];
        match random.below(4) {
            0 if !bytes.is_empty() => bytes[at] = drawn,
            1 if !bytes.is_empty() => _ = bytes.remove(at),
            2 if !bytes.is_empty() => {
                let end = (at + random.index(16)).min(bytes.len());
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            _ => bytes.insert(at, drawn),
        }
    }
    bytes.truncate(max);
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}
