//! The environment variables and the shapes of tables that the library uses.
//!
//! A function needs the variables of the resources that it declares, and of the resources that the
//! lifecycle uses on its behalf. `--describe` lists both, and `cargo lifecycle codegen` writes them into the
//! template. The exceptions are `ISSUER` and `AUDIENCE`: they are written by hand, into
//! `Globals.Function.Environment.Variables`. At the start, one error names all that are missing. An
//! empty variable counts as missing.
//!
//! # Variables of declared resources
//!
//! | variable | needed for | holds |
//! |---|---|---|
//! | `<NAME>_TABLE` | [`Table`], [`Index`] | the name of the table |
//! | `LIMITS_TABLE` | endpoints, except those with `Limit::OFF` and no `SUBJECT_LIMIT` | the table of rate limits |
//! | `LEDGER_TABLE` | endpoints with an idempotency key, consumers with an inbox | the idempotency table |
//! | `OUTBOX_TABLE` | [`Outbox`] | the outbox |
//! | `<NAME>_QUEUE_URL` | [`Queue`], [`Queues`], [`ReadAttributes`], [`ReceiveFrom`] | the URL of the queue |
//! | `<NAME>_DEAD_LETTER_QUEUE_URL` | consumers of a queue or a stream | the URL of its dead-letter queue |
//! | `<NAME>_SECRET_ID` | [`Secret`], [`WrittenSecret`], [`RotatedSecret`] | the name or the ARN of the secret |
//! | `<NAME>_URL` | [`Upstream`] | the address of the service |
//! | `PUBLIC_URL` | [`PublicUrl`] | the public URL of the API |
//! | `MAIL_FROM` | [`Mail`] | the sender of mails |
//! | `MAIL_CONFIGURATION_SET` | [`Mail`] | the configuration set of SES |
//! | `ISSUER` | the secrets [`SIGNING_KEYS`] and [`VERIFICATION_KEYS`], also under other names | the `iss` of our tokens |
//! | `AUDIENCE` | as `ISSUER` | the `aud` of our tokens |
//! | the declared name | [`Variable`] | the value of a resource or parameter |
//!
//! # Optional variables
//!
//! Those of the lifecycle, such as `LOG_LEVEL` and `RATE_LIMIT`, are in
//! [`lifecycle::runtime`](lifecycle::runtime#environment-variables).
//!
//! | variable | read by | holds, or its default |
//! |---|---|---|
//! | `ISSUERS` | verifiers of tokens | the outside issuers, as JSON; none |
//! | `SECOND_ISSUER` | verifiers of tokens | an `iss` that is accepted in addition |
//! | `SECOND_AUDIENCE` | verifiers of tokens | an `aud` that is accepted in addition |
//! | `AWS_CA_BUNDLE` | each function | a file of certificates for AWS's addresses, instead of Amazon's roots |
//! | `AWS_ENDPOINT_URL` | each function | the address of all AWS services; the region's public ones |
//! | `AWS_ENDPOINT_URL_<SERVICE>` | each function | the address of one, such as `AWS_ENDPOINT_URL_SQS` |
//!
//! # Variables that Lambda sets
//!
//! | variable | holds |
//! |---|---|
//! | `AWS_REGION` | the region |
//! | `AWS_DEFAULT_REGION` | the region; it precedes `AWS_REGION` |
//! | `AWS_ACCESS_KEY_ID` | the credentials of the function's role |
//! | `AWS_SECRET_ACCESS_KEY` | as above |
//! | `AWS_SESSION_TOKEN` | as above |
//! | `AWS_LAMBDA_FUNCTION_NAME` | the name of the function, for its log |
//! | `AWS_LAMBDA_RUNTIME_API` | the address of the Runtime API |
//! | `AWS_LAMBDA_MAX_CONCURRENCY` | the number of concurrent requests; 1 without it |
//! | `AWS_EXECUTION_ENV` | the runtime; `emulator` on the local platform while its clock is moved |
//! | `CLOCK_OFFSET_S` | only on the local platform: the seconds by which its clock is ahead |
//!
//! # Tables
//!
//! All keys are strings. `expiresAt` is in seconds since 1970, and should be the table's time to
//! live.
//!
//! | table | key | other attributes of ours |
//! |---|---|---|
//! | [`LIMITS`](lifecycle::limit::LIMITS), `limits` | `pk` | `total`, `expiresAt` |
//! | [`IDEMPOTENCY_KEYS`](lifecycle::idempotency::IDEMPOTENCY_KEYS), `ledger` | `pk` | the response or the id of a record, `expiresAt` |
//! | [`OUTBOX`](lifecycle::resource::OUTBOX), `outbox` | `pk`, `sk` | the event, `expiresAt`; an index `by_waiting`; a stream with new images |
//! | [`CIRCUITS`](crate::upstream::CIRCUITS), `circuits` | `pk` | the state of a circuit breaker |
//! | [`TOKENS`](crate::upstream::TOKENS), `tokens` | `pk` | access tokens of upstreams, `expiresAt` |
//! | [`API_KEYS`](crate::auth::api_keys::API_KEYS), `api_keys` | `pk` | the hash of a key and its claims, `expiresAt` |
//! | a [`Record`](lifecycle::record::Record)'s | `pk` and perhaps `sk`, or the names in its [`TableName`](lifecycle::record::TableName) | `writtenBy`: the commit that wrote the item last, if it was one write; the version, by default `version` |
//!
//! An index has the attributes `<name>_pk` and `<name>_sk`, or the names in its
//! [`IndexName`](lifecycle::record::IndexName), and projects all attributes.
//!
//! [`Table`]: lifecycle::resource::Resource::Table
//! [`Index`]: lifecycle::resource::Resource::Index
//! [`Outbox`]: lifecycle::resource::Resource::Outbox
//! [`Queue`]: lifecycle::resource::Resource::Queue
//! [`Queues`]: lifecycle::resource::Resource::Queues
//! [`ReadAttributes`]: lifecycle::resource::Resource::ReadAttributes
//! [`ReceiveFrom`]: lifecycle::resource::Resource::ReceiveFrom
//! [`Secret`]: lifecycle::resource::Resource::Secret
//! [`WrittenSecret`]: lifecycle::resource::Resource::WrittenSecret
//! [`RotatedSecret`]: lifecycle::resource::Resource::RotatedSecret
//! [`Upstream`]: lifecycle::resource::Resource::Upstream
//! [`PublicUrl`]: lifecycle::resource::Resource::PublicUrl
//! [`Mail`]: lifecycle::resource::Resource::Mail
//! [`Variable`]: lifecycle::resource::Resource::Variable
//! [`SIGNING_KEYS`]: crate::SIGNING_KEYS
//! [`VERIFICATION_KEYS`]: crate::VERIFICATION_KEYS

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use lifecycle::Upstream;
    use lifecycle::effects::QueueName;
    use lifecycle::idempotency::IDEMPOTENCY_KEYS;
    use lifecycle::limit::LIMITS;
    use lifecycle::record::TableName;
    use lifecycle::resource::OUTBOX;

    use crate::auth::api_keys::API_KEYS;
    use crate::upstream::{CIRCUITS, TOKENS};

    /// The files that read variables. All texts in capitals in them are names of variables.
    const READERS: [&str; 6] = [
        "clock.rs",
        "config.rs",
        "endpoints.rs",
        "settings.rs",
        "trusted_issuers.rs",
        "verifier.rs",
    ];

    /// The variables whose names have a part that the service chooses, and their tables.
    const OF_LIBRARY_TABLES: [&str; 3] = ["LEDGER_TABLE", "LIMITS_TABLE", "OUTBOX_TABLE"];

    #[test]
    fn each_documented_variable_is_read_by_the_code_and_the_reverse() {
        let text = documentation();
        let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
        let is_name = |text: &&str| is_variable(text) && !OF_LIBRARY_TABLES.contains(text);
        let mut documented = BTreeSet::new();
        for name in rows.filter(is_name) {
            assert!(documented.insert(name.to_owned()), "{name} is documented twice");
        }
        let mut read = BTreeSet::new();
        for file in sources() {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if READERS.contains(&name) {
                read.extend(variables_in(&fs::read_to_string(&file).unwrap()));
            }
        }
        read.retain(|name| !name.starts_with("AWS_ENDPOINT_URL_"));
        assert_eq!(documented, read);
    }

    #[test]
    fn no_other_file_reads_a_variable() {
        for file in sources() {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let reads = ["variable(\"", "required(\"", "env::var(\""];
            let found = reads.iter().any(|read| code.contains(read));
            assert!(READERS.contains(&name) || !found, "{} reads a variable", file.display());
        }
    }

    #[test]
    fn each_documented_name_is_used_by_the_library() {
        let text = documentation();
        for table in [LIMITS, IDEMPOTENCY_KEYS, OUTBOX, CIRCUITS, TOKENS, API_KEYS] {
            assert!(text.contains(&format!("`{}` | `pk`", table.name())), "{}", table.name());
        }
        for name in OF_LIBRARY_TABLES {
            assert!(text.contains(&format!("//! | `{name}`")), "{name}");
        }
        assert_eq!(
            [LIMITS, IDEMPOTENCY_KEYS, OUTBOX].map(TableName::variable),
            ["LIMITS_TABLE", "LEDGER_TABLE", "OUTBOX_TABLE"]
        );
        let mails = QueueName::new("mails");
        assert_eq!(mails.variable(), "MAILS_QUEUE_URL");
        assert_eq!(mails.dead_letter_variable(), "MAILS_DEAD_LETTER_QUEUE_URL");
        assert_eq!(Upstream::new("bank").variable(), "BANK_URL");
    }

    /// The two lists of variables: this file's, and that of the lifecycle's variables.
    fn documentation() -> String {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = ["src/environment.rs", "../lifecycle/src/runtime/mod.rs"];
        let texts = files.map(|file| fs::read_to_string(source.join(file)).unwrap());
        let lines = texts.iter().flat_map(|text| text.lines());
        lines.filter(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n")
    }

    /// The source files of this crate and of the lifecycle, without those of tests.
    fn sources() -> Vec<PathBuf> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![here.join("src"), here.join("../lifecycle/src")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let is_of_tests = path.ends_with("tests") || path.ends_with("tests.rs");
                if path.is_dir() && !is_of_tests {
                    folders.push(path);
                } else if path.extension().is_some_and(|kind| kind == "rs") && !is_of_tests {
                    files.push(path);
                }
            }
        }
        // This file has the searched texts.
        files.retain(|path| !path.ends_with("environment.rs"));
        files
    }

    /// The texts of a file that are names of variables, without its tests and its comments.
    fn variables_in(text: &str) -> BTreeSet<String> {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .filter(|text| is_variable(text))
            .map(str::to_owned)
            .collect()
    }

    fn is_variable(text: &str) -> bool {
        text.len() > 4
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    }
}
