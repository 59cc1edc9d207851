//! Numbers in documents that a program knows: each document agrees with its source.

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const DATA: &str = "infra/docs/DATA.md";
const DECISIONS: &str = "infra/docs/DECISIONS.md";
const OPERATIONS: &str = "infra/docs/OPERATIONS.md";
const RUNBOOK: &str = "infra/docs/RUNBOOK.md";
const TOUR: &str = "infra/docs/TOUR.md";

const ALARMS: &str = "infra/alarms.yaml";
const CIRCUIT: &str = "shared/aws/src/upstream/circuit.rs";
const OUTBOX: &str = "shared/lifecycle/src/commit/outbox.rs";
const STORE: &str = "shared/lifecycle/src/ports/store.rs";

/// A document, its statement, the file that makes the statement true, and the code there.
type Fact = (&'static str, &'static str, &'static str, &'static str);

const FACTS: [Fact; 44] = [
    ("README.md", "at most 100 writes", STORE, "WRITES_MAX: usize = 100;"),
    (
        "README.md",
        "12 GiB of disk",
        "infra/emulator/src/doctor.rs",
        "FREE_KIB_MIN: u64 = 12 * 1024 * 1024;",
    ),
    (
        ARCHITECTURE,
        "up to 25 times with full jitter",
        "shared/lifecycle/src/runtime/guard.rs",
        "count_max: 25,",
    ),
    (
        ARCHITECTURE,
        "4 KiB for a session",
        "functions/people/post_session.rs",
        "BODY_BYTES_MAX: usize = 4 * 1024;",
    ),
    (
        ARCHITECTURE,
        "256 KiB for an article",
        "functions/articles/post_article.rs",
        "BODY_BYTES_MAX: usize = 256 * 1024;",
    ),
    (
        ARCHITECTURE,
        "255 characters of key",
        "shared/lifecycle/src/idempotency.rs",
        "(1..=255).contains(&key.len())",
    ),
    (
        ARCHITECTURE,
        "8 KiB of token",
        "shared/aws/src/auth/tokens/compact.rs",
        "TOKEN_BYTES_MAX: usize = 8 * 1024;",
    ),
    (ARCHITECTURE, "100 writes and 4 MiB a transaction", STORE, "WRITES_MAX: usize = 100;"),
    (
        ARCHITECTURE,
        "100 writes and 4 MiB a transaction",
        STORE,
        "BYTES_MAX: usize = 4 * 1024 * 1024;",
    ),
    (
        ARCHITECTURE,
        "100 keys a read",
        "shared/aws/src/dynamodb/batch_get.rs",
        "KEYS_MAX: usize = 100;",
    ),
    (
        ARCHITECTURE,
        "a `Quantity` is from 1 to 99",
        "shared/domain/src/orders/draft.rs",
        "Quantity: 1..=99",
    ),
    (ARCHITECTURE, "cached 300 s per token", "template.yaml", "ReauthorizeEvery: 300"),
    (
        ARCHITECTURE,
        "as abandoned after a minute",
        "shared/aws/src/functions/sweep_calls.rs",
        "PENDING_S_MAX: i64 = 60;",
    ),
    (
        ARCHITECTURE,
        "is retried, for 12 hours at least",
        "functions/callback/process_callback.rs",
        "Backoff::trying_for(Duration::from_hours(12))",
    ),
    (DATA, "pages of up to 250 items", "shared/aws/src/admin/rewrite.rs", "PAGE_MAX: i32 = 250;"),
    (
        DECISIONS,
        "caches `unavailable` for 300 s",
        "shared/lifecycle/src/caller/finding.rs",
        "FINDING_KEPT_S: u32 = 300;",
    ),
    (DECISIONS, "leeway of 60 s", "shared/lifecycle/src/caller/identity.rs", "LEEWAY_S: i64 = 60;"),
    (
        DECISIONS,
        "after 100 failures an hour",
        "shared/aws/src/auth/guesses.rs",
        "IN_ALL_MAX: u32 = 100;",
    ),
    (
        DECISIONS,
        "share five attempts a minute",
        "shared/aws/src/auth/guesses.rs",
        "AT_ACCOUNT_MAX: u32 = 5;",
    ),
    (
        DECISIONS,
        "the ten latest sources",
        "shared/domain/src/people/known_sources.rs",
        "SOURCES_MAX: usize = 10;",
    ),
    (
        DECISIONS,
        "within 90 days",
        "shared/domain/src/people/known_sources.rs",
        "TTL_S: i64 = 90 * 24 * 60 * 60;",
    ),
    (
        DECISIONS,
        "expires 24 hours after its sign-up",
        "shared/domain/src/people/user.rs",
        "UNPROVEN_TTL_S: i64 = 24 * 60 * 60;",
    ),
    (DECISIONS, "5 failures in 30 s", CIRCUIT, "FAILURES_MAX: usize = 5;"),
    (DECISIONS, "5 failures in 30 s", CIRCUIT, "WINDOW_S: i64 = 30;"),
    (DECISIONS, "the first request after 30 s", CIRCUIT, "OPEN_S: i64 = 30;"),
    (DECISIONS, "after 15 s if its function died", CIRCUIT, "PROBE_S: i64 = 15;"),
    (
        DECISIONS,
        "over 30 s further ahead",
        "shared/aws/src/upstream/limits.rs",
        "SKEW_S: i64 = 30;",
    ),
    (
        DECISIONS,
        "reads the item every 5 s",
        "shared/aws/src/upstream/breaker.rs",
        "HELD_S: i64 = 5;",
    ),
    (
        OPERATIONS,
        "every 30 days and on request",
        "template.yaml",
        "RotationRules: {ScheduleExpression: rate(30 days)}",
    ),
    (RUNBOOK, "failed five times in 30 s", CIRCUIT, "FAILURES_MAX: usize = 5;"),
    (RUNBOOK, "row's message five times", OUTBOX, "REFUSALS_MAX: u32 = 5;"),
    (RUNBOOK, "Rows are kept for 30 days", OUTBOX, "SET_ASIDE_KEPT_S: i64 = 30 * 24 * 60 * 60;"),
    (
        RUNBOOK,
        "rows that have waited for two minutes",
        "shared/aws/src/functions/sweep_outbox.rs",
        "WAITING_S_MAX: i64 = 120;",
    ),
    (RUNBOOK, "up to 15 minutes", "shared/lifecycle/src/backoff.rs", "LONGEST_S: u64 = 15 * 60;"),
    (
        RUNBOOK,
        "Dead letters are kept for 14 days",
        "infra/xtask/src/template/rules/queues.rs",
        "DEAD_LETTERS_KEPT_S: u64 = 1_209_600;",
    ),
    (RUNBOOK, "more than 16 of its 20 seconds", ALARMS, "Threshold: 16000\n"),
    (RUNBOOK, "wait for more than a quarter of an hour", ALARMS, "Threshold: 900\n"),
    (RUNBOOK, "callbacks for more than an hour", ALARMS, "Threshold: 3600\n"),
    (RUNBOOK, "stream for more than a minute", ALARMS, "Threshold: 60000\n"),
    (RUNBOOK, "One mail in twenty bounces", ALARMS, "Threshold: 0.05\n"),
    (RUNBOOK, "one in a thousand is marked as spam", ALARMS, "Threshold: 0.001\n"),
    (RUNBOOK, "Four fifths of the account's", ALARMS, "Threshold: 80\n"),
    (RUNBOOK, "of a table, ten a minute or more", ALARMS, "Threshold: 10\n"),
    (
        TOUR,
        "of the 600 requests a minute",
        "shared/lifecycle/src/limit/quota.rs",
        "Self::approximate(600, MINUTE)",
    ),
];

/// The facts whose statement or code has changed.
pub(super) fn changed(texts: &[(&str, &str)]) -> Vec<String> {
    FACTS.iter().filter_map(|fact| contradiction(fact, texts)).collect()
}

/// A sentence about the side of a fact that has changed; `None` if the two agree.
fn contradiction(fact: &Fact, texts: &[(&str, &str)]) -> Option<String> {
    let (document, statement, source, code) = fact;
    let has = |wanted: &str, part: &str| {
        texts.iter().any(|(path, text)| *path == wanted && text.contains(part))
    };
    match (has(document, statement), has(source, code)) {
        (true, true) => None,
        (true, false) => Some(format!(
            "{document} states \"{statement}\", but {source} no longer has \"{code}\""
        )),
        (false, _) => Some(format!(
            "infra/xtask/src/tidy/facts.rs: {document} no longer states \"{statement}\""
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACT: Fact = ("README.md", "at most 100 writes", "a.rs", "MAX: usize = 100;");

    fn contradiction_of(document: &str, source: &str) -> Option<String> {
        contradiction(&FACT, &[("README.md", document), ("a.rs", source)])
    }

    #[test]
    fn a_number_that_differs_from_its_source_is_found_on_either_side() {
        let (stated, code) = ("A commit has at most 100 writes.", "const MAX: usize = 100;");
        assert_eq!(contradiction_of(stated, code), None);
        let found = contradiction_of(stated, "const MAX: usize = 50;").unwrap();
        assert!(found.starts_with("README.md states \"at most 100 writes\""), "{found}");
        let found = contradiction_of("A commit has at most 50 writes.", code).unwrap();
        assert!(found.contains("no longer states \"at most 100 writes\""), "{found}");
    }

    #[test]
    fn a_removed_file_is_found() {
        assert!(contradiction(&FACT, &[]).is_some());
        assert!(contradiction(&FACT, &[("README.md", "at most 100 writes")]).is_some());
    }
}
