//! Members, by the claims of an outside issuer's access token.

use lifecycle::newtypes::{single_line, uuid_id, wire_enum};
use lifecycle::{Claims, Identity, Timestamp, claims};

uuid_id! {
    /// The id of a member, which the authorizer makes of issuer and subject.
    MemberId
}

single_line! {
    /// The name of a library.
    Library: 1..=50
}

single_line! {
    /// An e-mail address, which the issuer has verified.
    Email: 3..=254
}

wire_enum! {
    /// A role at the issuer.
    Role {
        /// Borrows books.
        Member = "MEMBER",
        /// Adds books, and returns books for members.
        Librarian = "LIBRARIAN",
    }
}

/// A member or a librarian of one library.
#[derive(Debug, Clone)]
pub struct Member {
    /// The member's id.
    pub id: MemberId,
    /// The library: the named claim `library`.
    pub library: Library,
    /// The address for reminders: the named claim `email`.
    pub email: Email,
    /// The roles. Roles that this version does not know are left out.
    pub roles: Vec<Role>,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl Identity for Member {
    type Role = Role;

    fn from_claims(claims: &Claims) -> Option<Self> {
        let text = |name: &str| claims.get(name)?.as_str().map(str::to_owned);
        let roles = claims::names(claims.get("roles"))?;
        Some(Self {
            id: text("sub")?.try_into().ok()?,
            library: text("library")?.try_into().ok()?,
            email: text("email")?.try_into().ok()?,
            roles: roles.into_iter().filter_map(|role| role.try_into().ok()).collect(),
            expires_at: claims::date_passed_on(claims.get("exp")?)?,
        })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn subject(&self) -> String {
        self.id.to_string()
    }

    fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::claims_of;

    #[test]
    fn a_token_without_the_claim_library_identifies_no_member() {
        let claims = claims_of("ada", "central", &["MEMBER", "BAKER"]);
        let mut claims = claims.as_object().unwrap().clone();
        let member = Member::from_claims(&claims).unwrap();
        assert_eq!((member.library.as_str(), &member.roles[..]), ("central", &[Role::Member][..]));
        claims.remove("library");
        assert!(Member::from_claims(&claims).is_none());
    }
}
