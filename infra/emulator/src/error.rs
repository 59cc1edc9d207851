//! The reason why a platform does not start.

use std::collections::BTreeSet;

use sam_template::{Permission, Template, TemplateError, Unresolved};

use crate::application::BoxError;
use crate::binaries::BuildError;
use crate::event_sources::SourceError;
use crate::services;

/// The reason why a platform does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program uses the port.
    #[error(
        "127.0.0.1:{port} is in use by another program; choose another port with {option}, or 0"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The option that chooses it.
        option: &'static str,
    },
    /// The port cannot be opened for another reason.
    #[error("127.0.0.1:{port} cannot be opened: {source}")]
    Port {
        /// The port.
        port: u16,
        /// The cause.
        source: std::io::Error,
    },
    /// The socket for the records of functions cannot be opened.
    #[error("the socket for the records of functions cannot be opened: {0}")]
    Inspector(std::io::Error),
    /// No template was found.
    #[error("no template.yaml here or above; name one with --template")]
    NoTemplate,
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// `--without` names a permission that the template does not grant.
    #[error("the template grants no such permission: {permission}; {known}")]
    NoSuchRight {
        /// The permission.
        permission: Permission,
        /// The permissions of its function, or the functions of the template.
        known: String,
    },
    /// The binaries could not be built or found.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The stores do not start.
    #[error(transparent)]
    Stores(#[from] services::StartError),
    /// The credentials of a stand-in could not be written.
    #[error(transparent)]
    Secrets(#[from] services::StoreError),
    /// The application's data could not be written.
    #[error(transparent)]
    Seed(BoxError),
    /// A function's environment variable refers to a resource that the platform does not have.
    #[error("{function}, environment variable {variable}: {source}")]
    Variable {
        /// The function.
        function: String,
        /// The variable.
        variable: String,
        /// The reference that could not be resolved.
        source: Unresolved,
    },
    /// The stand-ins for third-party services do not start.
    #[error("cannot bind a port for a stand-in: {0}")]
    Standins(std::io::Error),
    /// An event source does not start.
    #[error(transparent)]
    Sources(#[from] SourceError),
}

impl StartError {
    /// The error about a permission that the template does not grant.
    pub(crate) fn no_such_right(permission: &Permission, template: &Template) -> Self {
        let all = template.grants();
        let of_function = all.iter().filter(|one| one.function == permission.function);
        let its: Vec<_> =
            of_function.map(|one| format!("{} {}", one.action, one.resource)).collect();
        let known = if its.is_empty() {
            let functions: BTreeSet<_> = all.iter().map(|one| one.function.as_str()).collect();
            let functions = functions.into_iter().collect::<Vec<_>>().join(", ");
            format!("the functions with permissions are {functions}")
        } else {
            format!("the function has {}", its.join(", "))
        };
        Self::NoSuchRight { permission: permission.clone(), known }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_unknown_permission_is_an_error_with_the_known_ones() {
        let source = include_str!("services/tests/template.yaml");
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        let message = |permission: &str| {
            let permission = permission.parse().unwrap();
            StartError::no_such_right(&permission, &template).to_string()
        };
        let error = message("GetUserFunction dynamodb:GetItem NoTable");
        assert!(error.contains("the function has "), "{error}");
        assert!(error.contains("sqs:SendMessage NewsQueue"), "{error}");
        let error = message("NoFunction dynamodb:GetItem UsersTable");
        assert!(error.contains("the functions with permissions are GetUserFunction"), "{error}");
    }
}
