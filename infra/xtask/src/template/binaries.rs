//! Checks that a built program runs on Lambda: on the declared architecture, with the C library of
//! Amazon Linux 2023.

use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64};
use object::read::elf::{FileHeader, SectionTable};
use object::{Endianness, SectionIndex};
use tooling::Error;
use tooling::context::Context;

/// The version of the C library in `provided.al2023`.
const GLIBC_MAX: (u32, u32) = (2, 34);

/// The reasons why a program cannot run on Lambda, one sentence each.
///
/// # Errors
///
/// If it is not a 64-bit ELF program.
pub(super) fn complaints(program: &[u8], architecture: &str) -> Result<Vec<String>, Error> {
    let header = FileHeader64::<Endianness>::parse(program).context(|| "not an ELF program")?;
    let endian = header.endian().context(|| "not an ELF program")?;
    let mut complaints = Vec::new();
    let built_for = match header.e_machine(endian) {
        EM_X86_64 => "x86_64",
        EM_AARCH64 => "arm64",
        _ => "another machine",
    };
    if built_for != architecture {
        complaints.push(format!("is built for {built_for}, but declared as {architecture}"));
    }
    let sections = header.sections(endian, program).context(|| "the sections of a program")?;
    let newer =
        needed(program, endian, &sections)?.into_iter().filter(|version| *version > GLIBC_MAX);
    if let Some((major, minor)) = newer.max() {
        let (most, least) = GLIBC_MAX;
        complaints.push(format!("needs glibc {major}.{minor}, but Lambda has {most}.{least}"));
    }
    Ok(complaints)
}

/// The glibc versions of a program's symbols; none if it is linked statically.
fn needed(
    program: &[u8],
    endian: Endianness,
    sections: &SectionTable<'_, FileHeader64<Endianness>>,
) -> Result<Vec<(u32, u32)>, Error> {
    let table = sections.gnu_verneed(endian, program).context(|| "the versions a program needs")?;
    let Some((mut libraries, linked)) = table else { return Ok(Vec::new()) };
    let names: SectionIndex = linked;
    let strings = sections.strings(endian, program, names).context(|| "the names of versions")?;
    let mut versions = Vec::new();
    while let Some((_, mut needs)) = libraries.next().context(|| "the versions a program needs")? {
        while let Some(need) = needs.next().context(|| "the versions a program needs")? {
            let name = need.name(endian, strings).context(|| "the name of a version")?;
            versions.extend(std::str::from_utf8(name).ok().and_then(version));
        }
    }
    Ok(versions)
}

/// The version in a symbol version name: 2.34 of `GLIBC_2.34`.
fn version(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test's own program.
    fn program() -> Vec<u8> {
        fs_err::read(std::env::current_exe().unwrap()).unwrap()
    }

    fn other(architecture: &str) -> &'static str {
        if architecture == "x86_64" { "arm64" } else { "x86_64" }
    }

    fn built_for() -> &'static str {
        if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
    }

    #[test]
    fn a_program_for_another_architecture_is_found() {
        let declared = other(built_for());
        let found = complaints(&program(), declared).unwrap();
        let expected = format!("is built for {}, but declared as {declared}", built_for());
        assert!(found.contains(&expected), "{found:?}");
    }

    #[test]
    fn a_program_that_needs_a_newer_c_library_is_found() {
        let program = program();
        let before = complaints(&program, built_for()).unwrap();
        let text = b"GLIBC_2.2.5\0";
        let place = program.windows(text.len()).position(|window| window == text);
        let Some(place) = place else { return assert_eq!(before, Vec::<String>::new()) };
        let mut newer = program;
        newer[place..place + text.len()].copy_from_slice(b"GLIBC_2.999\0");
        let found = complaints(&newer, built_for()).unwrap();
        assert_eq!(found, ["needs glibc 2.999, but Lambda has 2.34"]);
    }

    #[test]
    fn a_file_that_is_not_a_program_is_an_error() {
        assert!(complaints(b"#!/bin/sh\n", "x86_64").is_err());
    }
}
