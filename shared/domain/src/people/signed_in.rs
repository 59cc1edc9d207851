//! Who is signed in, as the access token says.

use lifecycle::{Claims, Identity, Timestamp};
use serde::Deserialize;

use super::UserId;
use crate::syntax::words;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who it is.
    pub user_id: UserId,
    /// What they may do. Roles that this version does not know are left out.
    pub roles: Vec<Role>,
    /// How they are treated as customers.
    pub tier: Tier,
    /// Whether their e-mail address is verified.
    pub email_verified: bool,
    /// When the token ends.
    pub expires_at: Timestamp,
}

impl SignedIn {
    /// Whether this is the user, or an administrator.
    pub fn is_or_administers(&self, user_id: UserId) -> bool {
        self.user_id == user_id || self.has(Role::Admin)
    }
}

impl Identity for SignedIn {
    type Role = Role;

    fn from_claims(claims: &Claims) -> Option<Self> {
        let known = KnownClaims::deserialize(claims).ok()?;
        let roles = known.roles.into_iter().filter_map(|role| Role::try_from(role).ok()).collect();
        Some(Self {
            user_id: known.sub,
            roles,
            tier: known.tier,
            email_verified: known.email_verified,
            expires_at: Timestamp::from_millis(known.exp.saturating_mul(1000)),
        })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn subject(&self) -> String {
        self.user_id.to_string()
    }

    fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// The claims that the authorizer passes on. An outside issuer knows nothing of tiers and
/// verification: its people are standard customers, and unverified.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownClaims {
    sub: UserId,
    exp: i64,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default = "standard")]
    tier: Tier,
    #[serde(default)]
    email_verified: bool,
}

fn standard() -> Tier {
    Tier::Standard
}

words! {
    /// What somebody may do.
    Role {
        /// Orders.
        Customer = "CUSTOMER",
        /// Writes articles.
        Writer = "WRITER",
        /// Approves and publishes articles.
        Editor = "EDITOR",
        /// Offers products.
        Merchant = "MERCHANT",
        /// Operates the system.
        Admin = "ADMIN",
    }
}

words! {
    /// How somebody is treated as a customer.
    Tier {
        /// Like everybody.
        Standard = "STANDARD",
        /// Better: ships free by default.
        Gold = "GOLD",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANN: &str = "0197f5a4-0000-7000-8000-000000000001";

    #[test]
    fn the_authorizers_claims_are_understood() {
        let ann = signed_in(&json!({
            "sub": ANN, "roles": ["MERCHANT"], "tier": "GOLD", "emailVerified": true, "exp": 1_000
        }))
        .unwrap();
        assert_eq!(ann.subject(), ANN);
        assert_eq!(ann.tier, Tier::Gold);
        assert!(ann.has(Role::Merchant) && !ann.has(Role::Admin));
        assert_eq!(ann.expires_at().as_seconds(), 1_000);
    }

    #[test]
    fn roles_of_others_are_left_out_and_the_rest_has_careful_defaults() {
        let ann = signed_in(&json!({ "sub": ANN, "roles": ["SUPERUSER"], "exp": 1 })).unwrap();
        assert_eq!(ann.roles, []);
        assert_eq!(ann.tier, Tier::Standard);
        assert!(!ann.email_verified);
    }

    #[test]
    fn claims_without_a_user_or_an_end_are_nobody() {
        for claims in
            [json!({ "exp": 1 }), json!({ "sub": "ann", "exp": 1 }), json!({ "sub": ANN })]
        {
            assert_eq!(signed_in(&claims), None, "{claims}");
        }
    }

    fn signed_in(claims: &serde_json::Value) -> Option<SignedIn> {
        SignedIn::from_claims(claims.as_object().unwrap())
    }
}
