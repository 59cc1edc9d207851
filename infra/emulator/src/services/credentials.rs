//! The environment variables of operators' commands: endpoints and resource names.

use std::collections::BTreeMap;

use super::stores::Stores;
use sam_template::REGION;

impl Stores {
    /// The variables that direct operators' commands to these stores. They sign with the operator's
    /// key, which is exempt from policies and fault injection.
    pub fn operator_environment(&self) -> BTreeMap<String, String> {
        let names = self.names();
        let tables = names.tables().map(|(id, table)| (variable(id), table.name.clone()));
        let queues =
            names.queues().map(|(id, queue)| (format!("{}_URL", variable(id)), queue.url.clone()));
        let secrets = names
            .secrets()
            .map(|(id, secret)| (format!("{}_ID", variable(id)), secret.arn.clone()));
        let general = [
            ("AWS_ACCESS_KEY_ID", "OPERATOR".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            // Some clients read this variable, for example Python's.
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
        ];
        let general = general.map(|(name, value)| (name.to_owned(), value));
        tables.chain(queues).chain(secrets).chain(general).collect()
    }
}

/// The variable of `EmailsDeadLetterQueue` is `EMAILS_DEAD_LETTER_QUEUE`.
fn variable(logical_id: &str) -> String {
    let mut variable = String::new();
    for letter in logical_id.chars() {
        if letter.is_ascii_uppercase() && !variable.is_empty() {
            variable.push('_');
        }
        variable.push(letter.to_ascii_uppercase());
    }
    variable
}
