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
    /// The functions, by their binaries' names; each moves back by one version.
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
    if let Some(unknown) = arguments.functions.iter().find(|name| !all.contains(*name)) {
        return Err(format!("the template has no function of the binary {unknown}").into());
    }
    let functions = if arguments.to.is_some() {
        all.iter().collect()
    } else {
        arguments.functions.iter().collect()
    };
    move_back(&AwsCli::new(&stack.region), &stack, functions, arguments)
}

fn move_back(
    aws: &AwsCli<'_>,
    stack: &Stack,
    functions: Vec<&String>,
    arguments: &Arguments,
) -> Result<(), Error> {
    for binary in functions {
        let name = stack.function(binary);
        let of_function = ["--function-name", &name];
        let ask = |command: &str, more: &[&str]| {
            aws.ask(&[&["lambda", command], &of_function[..], more].concat())
        };
        let alias = ask("get-alias", &["--name", ALIAS])?;
        let versions = ask("list-versions-by-function", &[])?;
        let target = target(&alias, &versions, arguments.to).context(|| &name)?;
        let Some(version) = target else {
            say(&format!("{name}: unchanged"));
            continue;
        };
        say(&format!("{name}: {} → {version}", text(&alias["FunctionVersion"])));
        if !arguments.dry {
            // Setting the version also removes the share of another version.
            let none = json!({ "AdditionalVersionWeights": {} }).to_string();
            let to = ["--name", ALIAS, "--function-version", &version, "--routing-config", &none];
            ask("update-alias", &to)?;
        }
    }
    Ok(())
}

/// The version that an alias moves to; `None` if it is already there.
///
/// During a gradual deployment, the alias names the old version and gives the new one a share. Then
/// the old version gets all requests again.
fn target(alias: &Value, versions: &Value, to: Option<Timestamp>) -> Result<Option<String>, Error> {
    let current = number(&alias["FunctionVersion"]).ok_or("the alias has no version")?;
    let shares = alias["RoutingConfig"]["AdditionalVersionWeights"].as_object();
    let shifting = shares.is_some_and(|shares| !shares.is_empty());
    let published = versions["Versions"].as_array().into_iter().flatten();
    let published =
        published.filter_map(|it| Some((number(&it["Version"])?, time(&it["LastModified"])?)));
    let version = match to {
        Some(to) => {
            published.filter(|(version, at)| *version <= current && *at <= to).map(|it| it.0).max()
        }
        None if shifting => Some(current),
        None => published.map(|it| it.0).filter(|version| *version < current).max(),
    };
    let version = version.ok_or("there is no earlier version")?;
    Ok((version != current || shifting).then(|| version.to_string()))
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

    fn moved(current: &str, weights: Value, to: Option<&str>) -> Option<String> {
        let routing = json!({ "AdditionalVersionWeights": weights });
        let alias = json!({ "FunctionVersion": current, "RoutingConfig": routing });
        target(&alias, &versions(), to.map(|to| to.parse().unwrap())).unwrap()
    }

    #[test]
    fn a_function_moves_back_one_version_or_to_that_at_a_time() {
        let back = Some("10".to_owned());
        assert_eq!(moved("11", json!({}), None), back);
        assert_eq!(moved("11", json!({}), Some("2026-11-26T08:30:00Z")), back);
        assert_eq!(moved("11", json!({}), Some("2026-11-26T09:30:00Z")), None);
        assert_eq!(moved("10", json!({ "11": 0.1 }), None), back);
        assert_eq!(moved("10", json!({ "11": 0.1 }), Some("2026-11-26T08:30:00Z")), back);
        let alias = json!({ "FunctionVersion": "3" });
        assert!(target(&alias, &versions(), None).is_err());
    }

    #[test]
    fn an_alias_moves_by_one_call_and_not_in_a_dry_run() {
        let folder = std::env::temp_dir().join(format!("rollback-{}", std::process::id()));
        fs_err::create_dir_all(&folder).unwrap();
        let (program, calls) = (folder.join("aws"), folder.join("calls"));
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {}\ncase $2 in\nget-alias) echo '{{\"FunctionVersion\":\"11\"}}' ;;\nlist-versions-by-function) echo '{}' ;;\n*) echo '{{}}' ;;\nesac\n",
            calls.display(),
            versions(),
        );
        fs_err::write(&program, script).unwrap();
        fs_err::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let stack =
            Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: true };
        let functions = vec!["get_user".to_owned()];
        for (dry, expected) in [(true, 0), (false, 1)] {
            let arguments =
                Arguments { functions: functions.clone(), to: None, stage: "prod".to_owned(), dry };
            let aws = AwsCli::at(&program, &stack.region);
            move_back(&aws, &stack, functions.iter().collect(), &arguments).unwrap();
            let made = fs_err::read_to_string(&calls).unwrap();
            let moves: Vec<_> = made.lines().filter(|call| call.contains("update-alias")).collect();
            assert_eq!(moves.len(), expected, "{made}");
            let all = moves
                .iter()
                .all(|call| call.contains("shop-get_user --name live --function-version 10"));
            assert!(all, "{made}");
        }
        fs_err::remove_dir_all(&folder).unwrap();
    }
}
