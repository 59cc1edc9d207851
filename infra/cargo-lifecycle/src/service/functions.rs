//! The functions of the template that are of the package.

use std::collections::BTreeSet;

use sam_template::{Code, Function, Template};
use tooling::Error;

use super::Service;
use crate::file::is_in;

impl Service {
    /// The template, without the functions of [other binaries](Self::other_binaries) and of crates
    /// outside of the workspace.
    ///
    /// # Errors
    ///
    /// As for [`template`](Self::template).
    pub fn template_of_package(&self) -> Result<Template, Error> {
        let mut template = self.template()?;
        template.functions.retain(|_, function| !self.is_other(function));
        Ok(template)
    }

    /// Whether a function of the template is not of the package.
    pub(crate) fn is_other(&self, Function { binary, code, .. }: &Function) -> bool {
        let is_outside = self.template.parent().is_some_and(|folder| match code {
            Code::Binary { directory, .. } | Code::Directory(directory) => {
                is_in(&self.workspace, folder) && !is_in(&self.workspace, &folder.join(directory))
            }
            _ => false,
        });
        self.other_binaries.contains(binary) || (is_outside && !self.binaries.contains_key(binary))
    }

    /// The binaries of a template of the package's functions. A missing one is an error.
    pub(crate) fn binaries_in(&self, template: &Template) -> Result<BTreeSet<String>, Error> {
        let mut functions = template.functions.values();
        let Some(other) = functions.find(|it| !self.binaries.contains_key(&it.binary)) else {
            return Ok(template.binaries());
        };
        let missing = missing(&self.name_of(&self.template), &other.logical_id, &other.binary);
        Err(format!("{missing}; if it is new, run `cargo lifecycle codegen`").into())
    }
}

/// The error and the remedy if a function of the template has a binary that the workspace lacks.
pub(crate) fn missing(template: &str, id: &str, binary: &str) -> String {
    format!(
        "{template}: {id} has the binary {binary}, which no package of the workspace has. If the \
         function was removed, delete {id} with its mapping and queues; if it was renamed, rename \
         {id} and its Binary"
    )
}
