//! The signed-in caller, by the claims of the access token.

use lifecycle::newtypes::wire_enum;
use lifecycle::{Claims, Identity, Timestamp, claims};
use serde::Deserialize;
use serde_json::Value;

use super::UserId;

/// A caller who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user's id.
    pub user_id: UserId,
    /// The user's roles. Roles that this version does not know are left out.
    pub roles: Vec<Role>,
    /// The user's tier as a customer.
    pub tier: Tier,
    /// Whether their e-mail address is verified.
    pub email_verified: bool,
    /// When the token expires.
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
        let roles = claims::names(claims.get("roles"))?;
        Some(Self {
            user_id: UserId::deserialize(claims.get("sub")?).ok()?,
            roles: roles.into_iter().filter_map(|role| Role::try_from(role).ok()).collect(),
            tier: tier(claims.get("tier"))?,
            email_verified: claims::flag(claims.get("emailVerified"))?,
            expires_at: claims::date_passed_on(claims.get("exp")?)?,
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

/// The tier. It is `STANDARD` if the claim is missing, since outside issuers have no tiers, or if
/// this version does not know the tier.
fn tier(claim: Option<&Value>) -> Option<Tier> {
    match claim {
        None | Some(Value::Null) => Some(Tier::Standard),
        Some(Value::String(tier)) => Some(tier.clone().try_into().unwrap_or(Tier::Standard)),
        Some(_) => None,
    }
}

wire_enum! {
    /// A role of a user.
    Role {
        /// Places orders.
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

wire_enum! {
    /// A tier of customers.
    Tier {
        /// The default.
        Standard = "STANDARD",
        /// Has free shipping by default.
        Gold = "GOLD",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANN: &str = "0197f5a4-0000-7000-8000-000000000001";

    #[test]
    fn the_authorizers_claims_are_read() {
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
    fn unknown_roles_are_left_out_and_missing_claims_have_safe_defaults() {
        let ann = signed_in(&json!({ "sub": ANN, "roles": ["SUPERUSER"], "exp": 1 })).unwrap();
        assert_eq!(ann.roles, []);
        assert_eq!(ann.tier, Tier::Standard);
        assert!(!ann.email_verified);
    }

    #[test]
    fn users_may_act_for_themselves_and_administrators_for_all() {
        let caller =
            |roles: &[&str]| signed_in(&json!({ "sub": ANN, "roles": roles, "exp": 1 })).unwrap();
        let (user, admin) = (caller(&["MERCHANT"]), caller(&["ADMIN"]));
        let other = UserId::from(uuid::Uuid::nil());
        assert!(user.is_or_administers(user.user_id) && !user.is_or_administers(other));
        assert!(admin.is_or_administers(user.user_id) && admin.is_or_administers(other));
    }

    #[test]
    fn claims_without_a_user_or_an_expiry_are_no_caller() {
        for claims in
            [json!({ "exp": 1 }), json!({ "sub": "ann", "exp": 1 }), json!({ "sub": ANN })]
        {
            assert_eq!(signed_in(&claims), None, "{claims}");
        }
    }

    #[test]
    fn claims_are_read_in_every_spelling_of_a_gateway() {
        let plain = json!({
            "sub": ANN, "roles": ["MERCHANT", "ADMIN"], "tier": "GOLD", "emailVerified": true,
            "exp": 4_102_444_800_u64,
        });
        for (claim, spellings) in [
            ("exp", vec![json!("4102444800"), json!(4_102_444_800.0), json!("4102444800.0")]),
            ("roles", vec![json!("MERCHANT ADMIN"), json!(r#"["MERCHANT","ADMIN"]"#)]),
            ("emailVerified", vec![json!("true")]),
        ] {
            for spelling in spellings {
                let mut respelled = plain.clone();
                respelled[claim] = spelling;
                assert_eq!(signed_in(&respelled), signed_in(&plain), "{respelled}");
            }
        }
    }

    #[test]
    fn a_null_claim_counts_as_absent() {
        let nulls = json!({
            "sub": ANN, "exp": 1_000, "roles": null, "tier": null, "emailVerified": null,
        });
        assert!(signed_in(&nulls).is_some());
        assert_eq!(signed_in(&nulls), signed_in(&json!({ "sub": ANN, "exp": 1_000 })));
    }

    #[test]
    fn claims_of_a_wrong_type_are_no_caller() {
        for (claim, value) in [
            ("sub", json!(7)),
            ("sub", json!(null)),
            ("sub", json!([ANN])),
            ("exp", json!(null)),
            ("exp", json!(true)),
            ("exp", json!("soon")),
            ("exp", json!(-1)),
            ("exp", json!([1_000])),
            ("roles", json!(7)),
            ("roles", json!({ "ADMIN": true })),
            ("tier", json!(7)),
            ("emailVerified", json!(1)),
        ] {
            let mut claims = json!({ "sub": ANN, "exp": 1_000 });
            claims[claim] = value;
            assert_eq!(signed_in(&claims), None, "{claims}");
        }
    }

    fn signed_in(claims: &Value) -> Option<SignedIn> {
        SignedIn::from_claims(claims.as_object().unwrap())
    }
}
