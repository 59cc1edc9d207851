//! The descriptions that the binaries print.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use cargo_command::{cargo, last_built};
use serde::Deserialize;
use serde_json::Value;

use crate::context::{Context, Error};
use crate::folders::{binaries_of, target_directory};
use crate::process::built;

/// The time limit of a description. A program that is no function may run without end.
const DESCRIBED_WITHIN: Duration = Duration::from_mins(1);
/// The remedy if a program that is no function is asked for its description.
const NO_FUNCTION: &str = "if it is no function, add it to the setting `exclude`";
/// The maximum size of a description, in bytes.
const OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The part of a binary's `--describe` output that the checks need.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The kind of function.
    pub kind: Kind,
    /// The route of an endpoint.
    #[serde(default)]
    pub route: Option<Route>,
    /// Whether an endpoint's callers sign in.
    #[serde(default)]
    pub sign_in: Option<SignIn>,
    /// Whether an endpoint also supports `HEAD`.
    #[serde(default)]
    pub head: bool,
    /// The event source of a consumer.
    #[serde(default)]
    pub source: Option<Source>,
    /// The number of deliveries after which a consumer gives up a record.
    #[serde(default)]
    pub deliveries_max: Option<u32>,
    /// The resources that it declares.
    pub resources: Resources,
}

/// The kind of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Answers requests.
    Endpoint,
    /// Handles records of a queue, a stream or a schedule.
    Consumer,
    /// Verifies tokens.
    Authorizer,
    /// Rotates a secret.
    Rotation,
}

/// The route of an endpoint.
#[derive(Debug, Clone, Deserialize)]
pub struct Route {
    /// The method, in capitals.
    pub method: String,
    /// The path, with its parameters in braces.
    pub path: String,
}

/// Whether callers sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignIn {
    /// Callers need no token.
    None,
    /// Callers may have a token.
    Optional,
    /// Callers need a token.
    Required,
}

/// The event source of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A queue, by its name.
    Queue(String),
    /// The stream of a table, by its name.
    Stream(String),
    /// A schedule.
    Schedule(Schedule),
    /// Events of another service, by their name.
    Event(String),
}

/// The schedule of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The expression of `EventBridge`: `rate(1 minute)`.
    pub expression: String,
    /// The seconds after which Lambda drops a run that has not begun.
    pub event_age_max_seconds: u32,
}

/// The resources that a function declares.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// The actions on each table.
    pub tables: BTreeMap<String, BTreeSet<String>>,
    /// The actions on each index.
    pub indexes: BTreeMap<String, BTreeSet<String>>,
    /// The queues that it sends to.
    pub queues: BTreeSet<String>,
    /// The queues whose health it probes.
    pub probed_queues: BTreeSet<String>,
    /// The queues whose dead letters it handles.
    pub dead_letters_of: BTreeSet<String>,
    /// The secrets that it reads.
    pub secrets: BTreeSet<String>,
    /// The secrets that it writes.
    pub written_secrets: BTreeSet<String>,
    /// The secrets that it rotates.
    pub rotated_secrets: BTreeSet<String>,
    /// Whether it sends mail.
    pub mail: bool,
    /// The third-party services that it calls.
    pub upstreams: BTreeSet<String>,
    /// Whether it needs the API's public URL.
    pub public_url: bool,
    /// The keys of each table whose key is not `pk` alone.
    #[serde(default)]
    pub keys: BTreeMap<String, TableKey>,
    /// The keys of each index, by table, if they are not named after the index.
    #[serde(default)]
    pub index_keys: BTreeMap<String, BTreeMap<String, TableKey>>,
    /// The resources of other services.
    #[serde(default)]
    pub others: Vec<Other>,
    /// The other variables, with the resource or parameter that each refers to.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl Resources {
    /// The key of a table.
    pub fn key_of(&self, table: &str) -> TableKey {
        let usual = || TableKey { partition: "pk".to_owned(), sort: None };
        self.keys.get(table).cloned().unwrap_or_else(usual)
    }

    /// The key of an index.
    pub fn key_of_index(&self, table: &str, index: &str) -> TableKey {
        let own = self.index_keys.get(table).and_then(|indexes| indexes.get(index));
        own.cloned().unwrap_or_else(|| TableKey {
            partition: format!("{index}_pk"),
            sort: Some(format!("{index}_sk")),
        })
    }
}

/// The attributes of a key. Their values are strings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TableKey {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    #[serde(default)]
    pub sort: Option<String>,
}

/// A resource of another service.
#[derive(Debug, Clone, Deserialize)]
pub struct Other {
    /// The IAM actions, with their service.
    pub actions: BTreeSet<String>,
    /// The resource as the template's `!Sub` reads it.
    pub resource: String,
}

/// Parses descriptions.
///
/// # Errors
///
/// If one has another form.
pub fn read(raw: BTreeMap<String, Value>) -> Result<BTreeMap<String, Description>, Error> {
    let parse = |(name, raw): (String, Value)| -> Result<(String, Description), Error> {
        let parsed = serde_json::from_value(raw).context(|| {
            format!("{name} --describe, of another version than the program that reads it")
        })?;
        Ok((name, parsed))
    };
    raw.into_iter().map(parse).collect()
}

/// Builds a package's functions and reads the description of each of these binaries.
///
/// # Errors
///
/// If they cannot be built, or a binary prints no description.
pub fn raw(
    workspace: &Path,
    package: &str,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Value>, Error> {
    let binaries = build(workspace, package)?;
    let binary = |name: &String| {
        let path = binaries.get(name).ok_or_else(|| format!("cargo has not built {name}"))?;
        Ok((name.clone(), describe(name, path)?))
    };
    names.iter().map(binary).collect()
}

/// Builds a package's functions, and returns the path of each binary by its name.
///
/// # Errors
///
/// If they cannot be built.
pub fn build(workspace: &Path, package: &str) -> Result<BTreeMap<String, PathBuf>, Error> {
    let names = binaries_of(workspace, package)?;
    // With the features of the workspace, as the local platform and the tests build them.
    let mut command = cargo(workspace);
    command.args(["build", "--workspace"]);
    built(command.args(names.iter().flat_map(|name| ["--bin", name])))
}

/// Reads the description of each of these binaries, as `cargo build` or `cargo test` has last built it.
///
/// # Errors
///
/// If a binary is missing, or prints no description.
pub fn as_built(
    workspace: &Path,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Value>, Error> {
    let directory = target_directory(workspace)?;
    let described = |name: &String| -> Result<(String, Value), Error> {
        let file = Path::new("debug").join(name);
        let binary = last_built(&directory, &file).ok_or_else(|| {
            let remedy = "first build the functions for this machine";
            format!("{} is missing: {remedy}", directory.join(&file).display())
        })?;
        Ok((name.clone(), describe(name, &binary)?))
    };
    names.iter().map(described).collect()
}

fn describe(name: &str, binary: &Path) -> Result<Value, Error> {
    let mut command = Command::new(binary);
    let described = output_within(DESCRIBED_WITHIN, command.arg("--describe").env_clear());
    let described = described.map_err(|error| format!("{name}: {error}"))?;
    printed(name, &described)
}

/// The description in a program's output.
fn printed(name: &str, output: &Output) -> Result<Value, Error> {
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} --describe: {}; {NO_FUNCTION}", reason.trim()).into());
    }
    let description = serde_json::from_slice(&output.stdout);
    Ok(description.map_err(|error| format!("{name} --describe: {error}; {NO_FUNCTION}"))?)
}

/// The output of a command, which is killed at the time limit.
fn output_within(time_max: Duration, command: &mut Command) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdout, stderr) = (all_of(child.stdout.take()), all_of(child.stderr.take()));
    let received = (stdout.recv_timeout(time_max), stderr.recv_timeout(time_max));
    let (Ok(stdout), Ok(stderr)) = received else {
        child.kill()?;
        child.wait()?;
        let error = format!("it has not ended within {time_max:?}: {NO_FUNCTION}");
        return Err(io::Error::other(error));
    };
    let status = child.wait()?;
    Ok(Output { status, stdout, stderr })
}

/// Receives all bytes of a stream at its end, and at most [`OUTPUT_BYTES_MAX`].
fn all_of(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            let _ = stream.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_killed_and_reported() {
        let mut endless = Command::new("sleep");
        let killed = output_within(Duration::from_millis(10), endless.arg("600")).unwrap_err();
        assert!(killed.to_string().contains("not ended within 10ms: if it is no function"));
        let mut short = Command::new("echo");
        let ended = output_within(DESCRIBED_WITHIN, short.arg("{}")).unwrap();
        assert_eq!((ended.status.success(), &*ended.stdout), (true, &b"{}\n"[..]));
    }

    #[test]
    fn the_output_of_another_program_is_an_error_with_the_remedy() {
        let output = |code: i32, stdout: &[u8], stderr: &[u8]| Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: stdout.to_vec(),
            stderr: stderr.to_vec(),
        };
        for (output, reason) in [
            (output(0, b"Hello, world!\n", b""), "seed --describe: expected value at line 1"),
            (output(2, b"", b"no such option\n"), "seed --describe: no such option; if"),
        ] {
            let error = printed("seed", &output).unwrap_err().to_string();
            assert!(error.starts_with(reason) && error.ends_with(NO_FUNCTION), "{error}");
        }
        assert_eq!(printed("get_book", &output(0, b"{}\n", b"")).unwrap(), serde_json::json!({}));
    }

    #[test]
    fn a_description_of_another_form_is_an_error_with_its_function() {
        let raw = BTreeMap::from([("get_book".to_owned(), serde_json::json!({ "kind": "page" }))]);
        let error = read(raw).unwrap_err().to_string();
        assert!(error.starts_with("get_book --describe, of another version"), "{error}");
        assert!(error.contains("`page`"), "{error}");
    }
}
