//! Tests of the commands in infra/docs/DATA.md that restore and import tables.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use house::workspace;
use tooling::process::succeeded;

#[test]
fn the_documented_commands_stop_each_function_that_uses_a_restored_table() {
    let aws = "case $2 in list-functions) printf 'shop-a\\tshop-b\\n' ;; get-function-concurrency) echo None ;; esac";
    let folder = follow("stop-writers", "1. **Stop the writers**", aws);
    let [stopped, calls] =
        ["stopped", "calls"].map(|file| fs_err::read_to_string(folder.join(file)).unwrap());
    fs_err::remove_dir_all(&folder).unwrap();
    assert_eq!(stopped, "shop-a None\nshop-b None\n");
    for table in ["ORDERS_TABLE", "USERS_TABLE"] {
        assert!(calls.contains(&format!("Environment.Variables.{table}]")), "{calls}");
    }
    for function in ["shop-a", "shop-b"] {
        let stop = format!("--function-name {function} --reserved-concurrent-executions 0");
        assert!(calls.contains(&stop), "{calls}");
    }
}

#[test]
fn a_repeated_import_continues_with_the_tables_that_are_not_imported() {
    let aws = "case \"$*\" in *list-stack-resources*shop-OrdersTable-1*) echo OrdersTable ;; esac";
    let folder = follow("import-tables", "6. **Import**", aws);
    let calls = fs_err::read_to_string(folder.join("calls")).unwrap();
    fs_err::remove_dir_all(&folder).unwrap();
    let made = |call: &str| calls.lines().filter(|line| line.contains(call)).count();
    assert_eq!(made("switch-table in OrdersTable"), 0, "{calls}");
    assert_eq!(made("switch-table in UsersTable --stage dev --name shop-UsersTable-1"), 1);
    assert_eq!(
        made("execute-change-set --stack-name shop --change-set-name import-UsersTable-"),
        1
    );
}

/// Runs the commands of a documented step for two tables. The folder has the workspace's folders,
/// since the commands run there. The AWS CLI and cargo only add their arguments to its file
/// `calls`; `aws` prints the answers.
fn follow(name: &str, step: &str, aws: &str) -> PathBuf {
    let document = fs_err::read_to_string(workspace().join("infra/docs/DATA.md")).unwrap();
    let is_function = |line: &&str| {
        ["restored() ", "variable() ", "imported() "].iter().any(|name| line.starts_with(*name))
    };
    let functions: Vec<_> = document.lines().filter(is_function).collect();
    let (_, step) = document.split_once(step).unwrap();
    let commands = step.split("```").nth(1).unwrap();
    let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    for entry in fs_err::read_dir(workspace()).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            fs_err::create_dir_all(folder.join(entry.file_name())).unwrap();
        }
    }
    let programs = folder.join("programs");
    fs_err::create_dir_all(&programs).unwrap();
    let calls = folder.join("calls");
    for (program, answers) in [("aws", aws), ("cargo", "")] {
        let text = format!("#!/bin/sh\necho \"$@\" >> {}\n{answers}\n", calls.display());
        fs_err::write(programs.join(program), text).unwrap();
        let mode = PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(programs.join(program), mode).unwrap();
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let script = format!(
        "STAGE=dev STACK=shop RUN=1 BUCKET=bucket AWS_REGION=eu-west-1 TABLES='OrdersTable UsersTable'\n{}\n{commands}",
        functions.join("\n"),
    );
    let mut bash = Command::new("bash");
    succeeded(bash.args(["-c", &script]).current_dir(&folder).env("PATH", path)).unwrap();
    folder
}
