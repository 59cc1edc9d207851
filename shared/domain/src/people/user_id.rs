//! Ids of users.

use lifecycle::newtypes::uuid_id;

uuid_id! {
    /// The id of a user.
    UserId
}

impl UserId {
    /// Whether the id is of the kind (RFC 9562, version 8) that is reserved for users of outside
    /// issuers. Clients cannot choose it.
    pub fn is_external(self) -> bool {
        self.0.get_version_num() == 8
    }
}
