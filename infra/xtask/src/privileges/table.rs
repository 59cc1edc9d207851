//! The table of rights, as people read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use local::template::Grant;

use crate::descriptions::Error;

const HEAD: &str = "# Who may do what, and which test misses it

Written by `cargo xtask privileges`, which takes each right from its function, runs the test that is
named beside it, and sees it fail; with all rights it passes. So every right is needed by a call, and
none is missing unnoticed. CI sees to it that the table has the rights of `template.yaml`, all of them
and no others.

To receive and delete messages, and to read a stream, is what Lambda does in a function's name. It
refuses to set up an event source whose function may not, and so does the local platform: without
such a right no test's platform starts. What SAM itself adds to the roles that it makes is not
counted: `AWSLambdaBasicExecutionRole` for logs, and for traces `AWSXrayWriteOnlyAccess`.

";

/// Which test fails without which right.
pub(super) struct Table {
    pub(super) tests: BTreeMap<Grant, String>,
}

impl Table {
    /// The table as it was last written; an empty one where there is none.
    pub(super) fn read(workspace: &Path) -> Result<Self, Error> {
        let text = match fs_err::read_to_string(path(workspace)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { tests: text.lines().filter_map(row).collect() })
    }

    /// Writes it down.
    pub(super) fn write(&self, workspace: &Path) -> Result<(), Error> {
        let functions: BTreeSet<_> = self.tests.keys().map(|grant| &grant.function).collect();
        let tests: BTreeSet<_> = self.tests.values().collect();
        let mut text = HEAD.to_owned();
        let (rights, functions, tests_count) = (self.tests.len(), functions.len(), tests.len());
        writeln!(
            text,
            "{rights} rights of {functions} functions, missed by {tests_count} tests.\n"
        )?;
        writeln!(text, "| function | may | on | fails without it |\n|---|---|---|---|")?;
        for (Grant { function, action, resource }, test) in &self.tests {
            writeln!(text, "| `{function}` | `{action}` | `{resource}` | `{test}` |")?;
        }
        Ok(fs_err::write(path(workspace), text)?)
    }
}

fn path(workspace: &Path) -> PathBuf {
    workspace.join("infra/docs/PRIVILEGES.md")
}

/// A right and its test; nothing of a line that is no row of the table.
fn row(line: &str) -> Option<(Grant, String)> {
    let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix("` |")?.split("` | `").collect();
    let [function, action, resource, test] = cells[..] else { return None };
    let [function, action, resource] = [function, action, resource].map(str::to_owned);
    Some((Grant { function, action, resource }, test.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let right = "GetUserFunction dynamodb:GetItem UsersTable".parse().unwrap();
        let line = "| `GetUserFunction` | `dynamodb:GetItem` | `UsersTable` | `story::a_story` |";
        assert_eq!(row(line), Some((right, "story::a_story".to_owned())));
        for line in ["", "|---|---|---|---|", "| function | may | on | fails without it |"] {
            assert_eq!(row(line), None);
        }
    }
}
