//! The table of permissions, in Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sam_template::Permission;
use tooling::Error;

use crate::file;
use crate::service::Service;

const HEAD: &str = "# Permissions, and the test that fails without each

Written by `cargo lifecycle privileges`. It removes each permission from its function and runs the test
named in the same row, which must fail; with all permissions it passes. So every permission is needed
by a call. CI checks that the table has exactly the permissions of the template.

Lambda receives and deletes messages, and reads streams, with a function's permissions. Without them
AWS rejects the event source. So does the local platform: no test's platform starts then. The
policies that SAM itself adds are not counted: `AWSLambdaBasicExecutionRole` for logs, and
`AWSXrayWriteOnlyAccess` for traces.

";

/// The test that fails without each permission.
pub(super) struct Table {
    pub(super) tests: BTreeMap<Permission, String>,
}

impl Table {
    /// The table as last written; empty if there is none.
    pub(super) fn read(place: &Path) -> Result<Self, Error> {
        let text = match fs_err::read_to_string(place) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { tests: text.lines().filter_map(row).collect() })
    }

    /// Writes the table.
    pub(super) fn write(&self, place: &Path) -> Result<(), Error> {
        let functions: BTreeSet<_> = self.tests.keys().map(|grant| &grant.function).collect();
        let tests: BTreeSet<_> = self.tests.values().collect();
        let mut text = HEAD.to_owned();
        let (rights, functions, tests_count) = (self.tests.len(), functions.len(), tests.len());
        writeln!(
            text,
            "{rights} permissions of {functions} functions, proven by {tests_count} tests.\n"
        )?;
        writeln!(text, "| function | may | on | fails without it |\n|---|---|---|---|")?;
        for (Permission { function, action, resource }, test) in &self.tests {
            writeln!(text, "| `{function}` | `{action}` | `{resource}` | `{test}` |")?;
        }
        file::replace(place, &text)
    }
}

/// The table's path, from the settings.
///
/// # Errors
///
/// If the service has none.
pub(super) fn place(service: &Service) -> Result<PathBuf, Error> {
    let Some(table) = &service.settings().privileges.table else {
        return Err("there is no place for the table: set privileges.table in \
                    [package.metadata.lifecycle]"
            .into());
    };
    Ok(service.path(table))
}

/// Parses a permission and its test; `None` if the line is not a row of the table.
fn row(line: &str) -> Option<(Permission, String)> {
    let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix("` |")?.split("` | `").collect();
    let [function, action, resource, test] = cells[..] else { return None };
    let [function, action, resource] = [function, action, resource].map(str::to_owned);
    Some((Permission { function, action, resource }, test.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_parsed_as_it_is_written() {
        let right = "GetUserFunction dynamodb:GetItem UsersTable".parse().unwrap();
        let line = "| `GetUserFunction` | `dynamodb:GetItem` | `UsersTable` | `story::a_story` |";
        assert_eq!(row(line), Some((right, "story::a_story".to_owned())));
        for line in ["", "|---|---|---|---|", "| function | may | on | fails without it |"] {
            assert_eq!(row(line), None);
        }
    }
}
