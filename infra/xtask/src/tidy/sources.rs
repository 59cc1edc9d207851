//! Words that must not stand in certain places, with the reason for each.

/// A ban: where it holds, what is banned, and why.
struct Ban {
    /// Paths that begin so.
    below: &'static str,
    /// Paths that end so.
    ending: &'static str,
    /// The words; each of its own is banned.
    words: &'static [&'static str],
    why: &'static str,
}

const BANS: [Ban; 7] = [
    Ban {
        below: "shared/domain/src/",
        ending: ".rs",
        words: &[
            "SystemTime",
            "Instant::",
            "Timestamp::now",
            "now_v7",
            "new_v4",
            "getrandom",
            "rand::",
        ],
        why: "the domain has no clock and no randomness: what it needs comes in through a Moment",
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
        words: &["aws_sdk_", "aws_smithy_", "reqwest::", "std::env::", "SystemTime", "Instant::"],
        why: "I/O, configuration and clocks are behind shared/adapters and the lifecycle",
    },
    Ban {
        below: "shared/lifecycle/src/",
        ending: ".rs",
        words: &["aws_sdk_", "aws_smithy_", "_X_AMZN_TRACE_ID"],
        why: "the lifecycle knows no SDK, and a trace is the invocation's, not the process's",
    },
    Ban {
        below: "infra/xtask/src/",
        ending: ".rs",
        words: &[
            "std::fs::read",
            "std::fs::write",
            "std::fs::copy",
            "std::fs::File::",
            "use std::fs;",
        ],
        why: "an error has to name its file: use fs_err",
    },
    Ban {
        below: "",
        ending: ".rs",
        words: &["todo!(", "unimplemented!(", "#[ignore", "dbg!(", "assert!(true"],
        why: "nothing is left unfinished, and no test is left out",
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
        why: "project files know no machine and no registry",
    },
];

/// The bans that a file breaks.
pub(super) fn banned(path: &str, text: &str) -> Vec<String> {
    // This list names what it bans, and the lock file is cargo's own.
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
    fn every_ban_finds_what_it_bans_and_nothing_elsewhere() {
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
        assert!(banned("infra/local/src/x.rs", "SystemTime::now()").is_empty());
    }
}
