//! Permissions of callers.

use std::collections::BTreeMap;

use sam_template::{Operator, is_like};

use super::account::{ACCOUNT_ID, REGION};
use super::wire::AwsError;

/// The permissions of a caller: actions on resources.
///
/// A resource is the last part of its ARN: `table/users`, `table/users/index/by_name`, the name of a
/// queue, `secret:keys`, or `identity/shop@example.com`. An action and a resource may have IAM's `*`
/// and `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(Vec<Permission>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Permission {
    /// In lower case: actions have no case.
    action: String,
    resource: String,
    senders: Vec<Senders>,
}

/// A condition of a permission: the senders of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Senders {
    pub(crate) operator: Operator,
    pub(crate) values: Vec<String>,
}

impl Permissions {
    /// No permission.
    pub fn none() -> Self {
        Self::default()
    }

    /// All permissions: an operator, or a test that is not about them.
    pub fn everything() -> Self {
        Self::none().and("*", "*")
    }

    /// One more permission: `dynamodb:GetItem` on `table/users`.
    #[must_use]
    pub fn and(self, action: impl Into<String>, resource: impl Into<String>) -> Self {
        self.and_from(Vec::new(), action, resource)
    }

    /// One more permission, for mails that meet all conditions on their sender.
    pub(crate) fn and_from(
        mut self,
        senders: Vec<Senders>,
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> Self {
        let action = action.into().to_ascii_lowercase();
        self.0.push(Permission { action, resource: resource.into(), senders });
        self
    }

    /// Whether the permissions have this action on this resource, for a call that is no mail.
    pub fn allow(&self, action: &str, resource: &str) -> bool {
        self.allow_from(None, action, resource)
    }

    fn allow_from(&self, sender: Option<&str>, action: &str, resource: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.0.iter().any(|permission| {
            is_like(&permission.action, &action)
                && is_like(&permission.resource, resource)
                && permission.senders.iter().all(|senders| senders.have(sender))
        })
    }
}

impl Senders {
    fn have(&self, sender: Option<&str>) -> bool {
        sender.is_some_and(|sender| {
            self.values.iter().any(|value| self.operator.is_met(value, sender))
        })
    }
}

/// The access of one caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access<'a> {
    pub(super) caller: &'a str,
    pub(super) permissions: &'a BTreeMap<String, Permissions>,
}

impl Access<'_> {
    /// An error if the caller may not perform the action.
    pub(super) fn check(&self, action: &str, resource: &str) -> Result<(), AwsError> {
        self.check_from(None, action, resource)
    }

    /// An error if the caller may not perform the action for a mail of this sender.
    pub(super) fn check_from(
        &self,
        sender: Option<&str>,
        action: &str,
        resource: &str,
    ) -> Result<(), AwsError> {
        let permissions = self.permissions.get(self.caller);
        if permissions.is_some_and(|it| it.allow_from(sender, action, resource)) {
            return Ok(());
        }
        let caller = self.caller;
        let service = action.split(':').next().unwrap_or_default();
        Err(AwsError::new(
            "AccessDeniedException",
            format!(
                "User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/{caller}/{caller} is not authorized \
                 to perform: {action} on resource: \
                 arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource} \
                 because no identity-based policy allows the {action} action"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_for_its_action_and_resource() {
        let permissions = Permissions::none()
            .and("dynamodb:GetItem", "table/users")
            .and("dynamodb:Query", "table/users/index/*");

        for (action, resource, allowed) in [
            ("dynamodb:GetItem", "table/users", true),
            ("dynamodb:GetItem", "table/orders", false),
            ("dynamodb:PutItem", "table/users", false),
            ("dynamodb:Query", "table/users", false),
            ("dynamodb:Query", "table/users/index/by_name", true),
        ] {
            assert_eq!(permissions.allow(action, resource), allowed, "{action} {resource}");
        }
        assert!(Permissions::everything().allow("sqs:SendMessage", "emails"));
    }

    #[test]
    fn an_unknown_caller_is_denied() {
        let permissions = BTreeMap::new();
        let access = Access { caller: "someone", permissions: &permissions };
        let error = access.check("sqs:SendMessage", "emails").unwrap_err();
        assert_eq!(error.code, "AccessDeniedException");
        assert!(error.message.contains("perform: sqs:SendMessage on resource"), "{error:?}");
    }
}
