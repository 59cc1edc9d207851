//! What an operator's commands find in their environment: where everything is, and what it is
//! called.

use std::collections::BTreeMap;

use super::Stores;
use crate::template::REGION;

impl Stores {
    /// The variables that lead an operator's commands here. They sign with a key that is no
    /// function's: whom no policy binds, and no fault strikes.
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
            // As some clients have it, Python's among them.
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
        ];
        let general = general.map(|(name, value)| (name.to_owned(), value));
        tables.chain(queues).chain(secrets).chain(general).collect()
    }
}

/// `EmailsDeadLetterQueue` is found under `EMAILS_DEAD_LETTER_QUEUE`.
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
