//! `cargo xtask rollback`: moves aliases back to earlier versions at once.
//!
//! It calls neither `CloudFormation` nor `CodeDeploy`, so no alarm and no running deployment can
//! block it.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use house::stack::Stack;
use jiff::Timestamp;
use sam_template::Template;
use serde_json::{Value, json};
use tooling::context::Context;
use tooling::{Error, say};

use crate::aws_cli::AwsCli;
use crate::deploy::ALIAS;

/// Moves functions back to earlier versions.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The functions, by their binaries' names; each moves back by one version, or to the version
    /// after `=`, as `get_user=10`.
    #[arg(required_unless_present = "to", conflicts_with = "to")]
    functions: Vec<String>,

    /// All functions move back to their version at this time, as 2026-11-26T07:00:00Z.
    #[arg(long)]
    to: Option<Timestamp>,

    /// The stage: an environment of samconfig.toml.
    #[arg(long)]
    stage: String,

    /// Lists the moves without making them.
    #[arg(long)]
    dry: bool,
}

/// Runs the command.
///
/// # Errors
///
/// If AWS cannot be asked, or a function has no such version.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let samconfig = fs_err::read_to_string(workspace.join("samconfig.toml"))?;
    let stack = Stack::of(&samconfig, &arguments.stage)?;
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let all = template.binaries();
    let wanted: Vec<Wanted<'_>> = match arguments.to {
        Some(to) => all.iter().map(|binary| (binary.as_str(), Back::To(to))).collect(),
        None => arguments.functions.iter().map(|name| wanted(name)).collect(),
    };
    if let Some((unknown, _)) = wanted.iter().find(|(binary, _)| !all.contains(*binary)) {
        return Err(format!("the template has no function of the binary {unknown}").into());
    }
    move_back(&AwsCli::new(&stack.region), &stack, &wanted, arguments)
}

/// A function by its binary's name, and where it moves.
type Wanted<'a> = (&'a str, Back<'a>);

/// Where a function moves.
#[derive(Clone, Copy)]
enum Back<'a> {
    /// One version back.
    One,
    /// To the version that it had at a time.
    To(Timestamp),
    /// To this version.
    Version(&'a str),
}

fn wanted(argument: &str) -> Wanted<'_> {
    let named = argument.split_once('=');
    named.map_or((argument, Back::One), |(binary, version)| (binary, Back::Version(version)))
}

/// Moves functions after all targets are known: nothing moves if one of them has none. A failed move
/// does not stop the others. The printed command repeats the moves without going further back.
fn move_back(
    aws: &AwsCli<'_>,
    stack: &Stack,
    wanted: &[Wanted<'_>],
    arguments: &Arguments,
) -> Result<(), Error> {
    let (mut moves, mut missing) = (Vec::new(), 0);
    for (binary, back) in wanted {
        let name = stack.function(binary);
        match asked(aws, &name, *back).context(|| &name) {
            Ok(target) => moves.extend(target.map(|version| (*binary, name, version))),
            // The template may have functions whose deployment failed.
            Err(error) if matches!(back, Back::To(_)) && is_missing(&error) => {
                say(&format!("{name}: not in the stack; unchanged"));
                missing += 1;
            }
            Err(error) => return Err(error),
        }
    }
    if missing > 0 && missing == wanted.len() {
        return Err(format!("{} has none of the functions", stack.name).into());
    }
    let pairs: Vec<_> = moves.iter().map(|(it, _, version)| format!("{it}={version}")).collect();
    if !pairs.is_empty() {
        let (stage, pairs) = (&arguments.stage, pairs.join(" "));
        say(&format!("repeat it with: cargo xtask rollback --stage {stage} {pairs}"));
    }
    let mut failed = Vec::new();
    for (_, name, version) in moves.iter().filter(|_| !arguments.dry) {
        // Setting the version also removes the share of another version.
        let none = json!({ "AdditionalVersionWeights": {} }).to_string();
        let alias = ["lambda", "update-alias", "--function-name", name, "--name", ALIAS];
        let to = ["--function-version", version, "--routing-config", &none];
        if let Err(error) = aws.ask(&[&alias[..], &to].concat()) {
            failed.push(format!("{name} is not moved: {error}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

/// The version that a function moves to, if it moves. Prints either.
fn asked(aws: &AwsCli<'_>, name: &str, back: Back<'_>) -> Result<Option<String>, Error> {
    let ask = |command: &str, more: &[&str]| {
        aws.ask(&[&["lambda", command, "--function-name", name], more].concat())
    };
    let alias = ask("get-alias", &["--name", ALIAS])?;
    let versions = ask("list-versions-by-function", &[])?;
    Ok(match target(&alias, &versions, back)? {
        Target::Version(version) => {
            say(&format!("{name}: {} → {version}", text(&alias["FunctionVersion"])));
            Some(version)
        }
        Target::Same => {
            say(&format!("{name}: unchanged"));
            None
        }
        Target::New => {
            say(&format!("{name}: new since then; unchanged"));
            None
        }
    })
}

/// The move of an alias.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// It moves to this version.
    Version(String),
    /// It is already there.
    Same,
    /// The function had no version at the time.
    New,
}

/// Where an alias moves.
///
/// During a gradual deployment, the alias names the old version and gives the new one a share. Then
/// the old version gets all requests again.
fn target(alias: &Value, versions: &Value, back: Back<'_>) -> Result<Target, Error> {
    let current = number(&alias["FunctionVersion"]).ok_or("the alias has no version")?;
    let shares = alias["RoutingConfig"]["AdditionalVersionWeights"].as_object();
    let shifting = shares.is_some_and(|shares| !shares.is_empty());
    let published = versions["Versions"].as_array().into_iter().flatten();
    let mut published =
        published.filter_map(|it| Some((number(&it["Version"])?, time(&it["LastModified"])?)));
    let version = match back {
        Back::To(to) => {
            let then = published.filter(|(version, at)| *version <= current && *at <= to);
            match then.map(|it| it.0).max() {
                Some(version) => version,
                None => return Ok(Target::New),
            }
        }
        Back::Version(version) => {
            let found = published.find(|it| it.0.to_string() == version);
            found.ok_or_else(|| format!("there is no version {version}"))?.0
        }
        Back::One if shifting => current,
        Back::One => {
            let earlier = published.map(|it| it.0).filter(|version| *version < current).max();
            earlier.ok_or("there is no earlier version")?
        }
    };
    let moves = version != current || shifting;
    Ok(if moves { Target::Version(version.to_string()) } else { Target::Same })
}

/// Whether Lambda has no such function or alias.
fn is_missing(error: &Error) -> bool {
    error.to_string().contains("(ResourceNotFoundException)")
}

fn number(version: &Value) -> Option<u64> {
    version.as_str()?.parse().ok()
}

/// A time in Lambda's format: `2026-11-26T07:00:00.000+0000`.
fn time(text: &Value) -> Option<Timestamp> {
    let text = text.as_str()?;
    let text =
        text.strip_suffix("+0000").map_or_else(|| text.to_owned(), |time| format!("{time}Z"));
    text.parse().ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn versions() -> Value {
        let version = |number: &str, at: &str| json!({ "Version": number, "LastModified": at });
        json!({ "Versions": [
            version("$LATEST", "2026-11-26T09:00:00.000+0000"),
            version("3", "2026-11-26T07:00:00.000+0000"),
            version("10", "2026-11-26T08:00:00.000+0000"),
            version("11", "2026-11-26T09:00:00.000+0000"),
        ] })
    }

    fn moved(current: &str, weights: Value, back: Back<'_>) -> Target {
        let routing = json!({ "AdditionalVersionWeights": weights });
        let alias = json!({ "FunctionVersion": current, "RoutingConfig": routing });
        target(&alias, &versions(), back).unwrap()
    }

    fn at(time: &str) -> Back<'_> {
        Back::To(time.parse().unwrap())
    }

    #[test]
    fn a_function_moves_back_one_version_or_to_that_at_a_time() {
        let back = || Target::Version("10".to_owned());
        assert_eq!(moved("11", json!({}), Back::One), back());
        assert_eq!(moved("11", json!({}), at("2026-11-26T08:30:00Z")), back());
        assert_eq!(moved("11", json!({}), at("2026-11-26T09:30:00Z")), Target::Same);
        assert_eq!(moved("11", json!({}), at("2026-11-26T06:30:00Z")), Target::New);
        assert_eq!(moved("10", json!({ "11": 0.1 }), Back::One), back());
        assert_eq!(moved("10", json!({ "11": 0.1 }), at("2026-11-26T08:30:00Z")), back());
        let alias = json!({ "FunctionVersion": "3" });
        assert!(target(&alias, &versions(), Back::One).is_err());
    }

    #[test]
    fn a_repeated_move_to_a_version_goes_no_further_back() {
        assert_eq!(wanted("get_user").0, "get_user");
        let (binary, back) = wanted("get_user=10");
        assert_eq!(binary, "get_user");
        assert_eq!(moved("11", json!({}), back), Target::Version("10".to_owned()));
        assert_eq!(moved("10", json!({}), back), Target::Same);
        let alias = json!({ "FunctionVersion": "11" });
        assert!(target(&alias, &versions(), Back::Version("9")).is_err());
    }

    /// The moves that a rollback asks for. Functions whose name has `young` have one version; a move
    /// of one with `stuck` fails.
    fn moves(test: &str, functions: &[Wanted<'_>], dry: bool) -> (Result<(), Error>, Vec<String>) {
        let folder = std::env::temp_dir().join(format!("rollback-{test}-{}", std::process::id()));
        fs_err::create_dir_all(&folder).unwrap();
        let (program, calls) = (folder.join("aws"), folder.join("calls"));
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {}\ncase \"$2 $4\" in\nget-alias*missing) echo 'An error occurred (ResourceNotFoundException)' >&2; exit 254 ;;\nget-alias*young) echo '{{\"FunctionVersion\":\"3\"}}' ;;\nget-alias*) echo '{{\"FunctionVersion\":\"11\"}}' ;;\nlist-versions-by-function*) echo '{}' ;;\nupdate-alias*stuck) exit 1 ;;\n*) echo '{{}}' ;;\nesac\n",
            calls.display(),
            versions(),
        );
        fs_err::write(&program, script).unwrap();
        fs_err::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let stack =
            Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: true };
        let arguments =
            Arguments { functions: Vec::new(), to: None, stage: "prod".to_owned(), dry };
        let aws = AwsCli::at(&program, &stack.region);
        let ended = move_back(&aws, &stack, functions, &arguments);
        let made = fs_err::read_to_string(&calls).unwrap();
        fs_err::remove_dir_all(&folder).unwrap();
        let moves = made.lines().filter(|call| call.contains("update-alias"));
        (ended, moves.map(str::to_owned).collect())
    }

    #[test]
    fn an_alias_moves_by_one_call_and_not_in_a_dry_run() {
        for (dry, expected) in [(true, 0), (false, 1)] {
            let (ended, moves) = moves("dry", &[("get_user", Back::One)], dry);
            ended.unwrap();
            assert_eq!(moves.len(), expected, "{moves:?}");
            let all = moves
                .iter()
                .all(|call| call.contains("shop-get_user --name live --function-version 10"));
            assert!(all, "{moves:?}");
        }
    }

    #[test]
    fn nothing_moves_if_a_named_function_has_no_earlier_version() {
        let (ended, moves) = moves("none", &[("a", Back::One), ("young", Back::One)], false);
        assert!(ended.unwrap_err().to_string().contains("shop-young"));
        assert_eq!(moves, Vec::<String>::new());
    }

    #[test]
    fn a_failed_move_and_a_new_function_stop_no_other() {
        let then = at("2026-11-26T06:30:00Z");
        let functions = [("new", then), ("stuck", Back::Version("10")), ("a", Back::Version("10"))];
        let (ended, moves) = moves("stuck", &functions, false);
        let said = ended.unwrap_err().to_string();
        assert!(said.starts_with("shop-stuck is not moved") && !said.contains("shop-a"), "{said}");
        assert_eq!(moves.len(), 2, "{moves:?}");
    }

    #[test]
    fn a_function_that_the_stack_lacks_stops_no_move_to_a_time() {
        let then = at("2026-11-26T08:30:00Z");
        let (ended, made) = moves("missing", &[("missing", then), ("a", then)], false);
        ended.unwrap();
        assert_eq!(made.len(), 1, "{made:?}");
        let (ended, _) = moves("missing-all", &[("missing", then)], false);
        assert_eq!(ended.unwrap_err().to_string(), "shop has none of the functions");
        // A named function is perhaps a mistake.
        let functions = [("missing", Back::One), ("a", Back::One)];
        let (ended, made) = moves("missing-named", &functions, false);
        assert!(ended.unwrap_err().to_string().starts_with("shop-missing: aws lambda get-alias"));
        assert_eq!(made, Vec::<String>::new());
    }
}
