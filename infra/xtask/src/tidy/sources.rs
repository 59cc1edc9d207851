//! Banned words, by path, with a reason for each.

/// A ban: its paths, its words, and the reason.
struct Ban {
    /// The prefix of the paths.
    below: &'static str,
    /// The suffix of the paths.
    ending: &'static str,
    /// The words; each one is banned.
    words: &'static [&'static str],
    why: &'static str,
}

/// The ban of errors without a file's name.
const fn names_its_files(below: &'static str) -> Ban {
    Ban {
        below,
        ending: ".rs",
        words: &[
            "std::fs::read",
            "std::fs::write",
            "std::fs::copy",
            "std::fs::File::",
            "use std::fs;",
        ],
        why: "an error must name its file: use fs_err",
    }
}

/// The ban of tokio's own random order, which a seed does not decide.
const fn has_one_order(below: &'static str) -> Ban {
    Ban {
        below,
        ending: ".rs",
        words: &["tokio::select!", "watch::"],
        why: "one seed has one trace: use Notify, or `futures` in a fixed order",
    }
}

const BANS: [Ban; 15] = [
    Ban {
        below: "shared/domain/src/",
        ending: ".rs",
        words: &[
            "SystemTime",
            "Instant::",
            "clock::now",
            "now_v7",
            "new_v4",
            "getrandom",
            "rand::",
        ],
        why: "the domain has no clock and no randomness: use Moment",
    },
    Ban {
        below: "shared/domain/src/",
        ending: ".rs",
        words: &["async fn", ".await", "tokio::", "std::fs", "std::net", "std::env", "reqwest"],
        why: "the domain does no I/O",
    },
    Ban {
        below: "functions/",
        ending: ".rs",
        words: &[
            "aws_sdk_",
            "aws_smithy_",
            "reqwest::",
            "std::env::",
            "SystemTime",
            "Instant::",
            "clock::now",
        ],
        why: "I/O, configuration and clocks are behind shared/aws and the lifecycle",
    },
    Ban {
        below: "shared/lifecycle/src/",
        ending: ".rs",
        words: &["aws_sdk_", "aws_smithy_", "_X_AMZN_TRACE_ID"],
        why: "the lifecycle uses no SDK, and a trace belongs to an invocation, not to the process",
    },
    has_one_order("shared/aws/src/"),
    has_one_order("functions/"),
    has_one_order("infra/simulation/src/"),
    names_its_files("infra/xtask/src/"),
    names_its_files("infra/cargo-lifecycle/src/"),
    names_its_files("infra/tooling/src/"),
    names_its_files("infra/house/src/"),
    names_its_files("infra/conformance/src/"),
    names_its_files("infra/bench/src/"),
    Ban {
        below: "",
        ending: ".rs",
        words: &["todo!(", "unimplemented!(", "#[ignore", "dbg!(", "assert!(true"],
        why: "unfinished code and ignored tests are not allowed",
    },
    Ban {
        below: "",
        ending: "",
        words: &[
            "/home/",
            "/root/",
            "crates.io/api",
            "index.crates.io",
            "pypi.org/simple",
            "registry.npmjs",
        ],
        why: "project files must not name a machine or a registry",
    },
];

/// The violations of bans in a file.
pub(super) fn banned(path: &str, text: &str) -> Vec<String> {
    // This list contains the banned words, and cargo writes the lock file.
    if path == "infra/xtask/src/tidy/sources.rs" || path == "Cargo.lock" {
        return Vec::new();
    }
    let holding =
        BANS.iter().filter(|ban| path.starts_with(ban.below) && path.ends_with(ban.ending));
    let mut complaints = Vec::new();
    for ban in holding {
        for (number, line) in text.lines().enumerate() {
            for word in ban.words.iter().filter(|word| line.contains(*word)) {
                complaints.push(format!("{path}:{}: {word}: {}", number + 1, ban.why));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ban_is_found_in_its_paths_only() {
        for ban in &BANS {
            for word in ban.words {
                let path = format!("{}example{}", ban.below, ban.ending);
                let found = banned(&path, &format!("fine\nlet x = {word};"));
                assert!(
                    found.iter().any(|found| found.starts_with(&format!("{path}:2: "))),
                    "{word}"
                );
                assert!(banned(&path, "let order = 1;").is_empty());
            }
        }
        assert!(banned("infra/emulator/src/x.rs", "SystemTime::now()").is_empty());
    }
}
