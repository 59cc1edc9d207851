//! Claims to the names of products.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::DomainError;
use lifecycle::effects::{self, Condition, Write};
use lifecycle::newtypes::compared;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ProductId, ProductName};
use crate::resources::PRODUCTS;

/// Keeps a product's name unique: written in the product's commit, if the name has no claim yet.
///
/// Names are compared without regard to case, blanks and the way that characters are composed. The
/// previous version compared them as they were typed. A name is claimed in both forms, so that both
/// versions find each other's claims, also while a deployment runs both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameClaim {
    /// The name.
    pub name: ProductName,
    /// The product that has it.
    pub product_id: ProductId,
}

impl NameClaim {
    /// Longer keys are hashed: `DynamoDB` allows 2 KiB, and NFKC makes 18 characters of some. No
    /// name begins with a blank, so none has the key of another one's hash.
    const KEY_BYTES_MAX: usize = 1_000;

    /// The key of the claim to a name.
    pub fn key_of(name: &ProductName) -> Key {
        let compared = compared(name.as_str());
        if compared.len() <= Self::KEY_BYTES_MAX {
            Key::new(format_args!("name#{compared}"))
        } else {
            Key::new(format_args!("name# {}", URL_SAFE_NO_PAD.encode(Sha256::digest(compared))))
        }
    }

    /// The key of the claim to a name as it was typed.
    pub fn typed_key_of(name: &ProductName) -> Key {
        Key::new(format_args!("name#{name}"))
    }

    /// The keys of all claims to a name.
    pub fn keys_of(name: &ProductName) -> Vec<Key> {
        let mut keys = vec![Self::key_of(name), Self::typed_key_of(name)];
        keys.dedup();
        keys
    }

    /// Whether the catalogue treats the names as the same.
    pub fn are_one(name: &ProductName, other: &ProductName) -> bool {
        Self::key_of(name) == Self::key_of(other)
    }

    /// Claims the name if it is free.
    pub fn create(&self, otherwise: &DomainError) -> Vec<Write> {
        let mut writes = vec![Write::create(self).or_reject(otherwise.clone())];
        if Self::typed_key_of(&self.name) != self.key() {
            writes.push(Write::create(&TypedNameClaim(self.clone())).or_reject(otherwise.clone()));
        }
        writes
    }

    /// Claims the name, if it is free or already this product's, and frees the previous one, of
    /// which the product has the claims with these keys. Concurrent renames of one product must not
    /// fail because of a taken name.
    ///
    /// Another product may have a claim to the previous name: the previous version allowed names
    /// that differ only in case. So a claim is freed only if it is this product's.
    pub fn take(&self, claims: &[Key], otherwise: &DomainError) -> Vec<Write> {
        let own = Condition::Equals("productId", effects::text(self.product_id.to_string()));
        let mine = Condition::Any(vec![Condition::Absent, own.clone()]);
        let mut writes = vec![Write::put(self)];
        if Self::typed_key_of(&self.name) != self.key() {
            writes.push(Write::put(&TypedNameClaim(self.clone())));
        }
        let taken: Vec<_> = writes.iter().map(|write| write.key.clone()).collect();
        let given_up = claims.iter().filter(|key| !taken.contains(*key));
        let free = given_up.map(|key| Write::delete::<Self>(key.clone()).when(own.clone()));
        let take = writes.into_iter();
        let take = take.map(|write| write.when(mine.clone()).or_reject(otherwise.clone()));
        take.chain(free).collect()
    }
}

impl Record for NameClaim {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }
}

/// The same claim, by the name as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypedNameClaim(pub NameClaim);

impl Record for TypedNameClaim {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        NameClaim::typed_key_of(&self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::WriteAction;

    use super::*;
    use crate::error_codes;
    use crate::examples::lamp;

    #[test]
    fn names_that_look_the_same_have_one_claim() {
        for other in ["LAMP", " lamp", "La\u{200B}mp", "\u{FF2C}amp"] {
            assert!(NameClaim::are_one(&name("Lamp"), &name(other)), "{other:?}");
        }
        assert!(!NameClaim::are_one(&name("Lamp"), &name("Lamps")));
    }

    #[test]
    fn the_longest_name_has_a_key_within_the_limit_of_dynamodb() {
        let longest = name(&"\u{FDFA}".repeat(200));
        assert!(NameClaim::key_of(&longest).pk.len() < 100);
        assert!(!NameClaim::are_one(&longest, &name(&"\u{FDFA}".repeat(199))));
    }

    #[test]
    fn a_name_that_is_the_hash_of_another_one_has_another_key() {
        let longest = name(&"\u{FDFA}".repeat(200));
        let hash = NameClaim::key_of(&longest).pk.replace("name#", "");
        let imitated = name(&hash);
        for key in [NameClaim::key_of(&imitated), NameClaim::typed_key_of(&imitated)] {
            assert_ne!(key, NameClaim::key_of(&longest));
        }
    }

    #[test]
    fn a_name_is_claimed_as_it_is_compared_and_as_it_was_typed() {
        assert_eq!(keys(&claim("Lamp").create(&taken())), ["+name#lamp", "+name#Lamp"]);
        assert_eq!(keys(&claim("lamp").create(&taken())), ["+name#lamp"]);
    }

    #[test]
    fn a_rename_never_frees_a_key_that_it_claims() {
        for (before, after, writes) in [
            (
                "Lamp",
                "Lantern",
                &["+name#lantern", "+name#Lantern", "-name#lamp", "-name#Lamp"][..],
            ),
            ("Lamp", "LAMP", &["+name#lamp", "+name#LAMP", "-name#Lamp"]),
            ("Lamp", "lamp", &["+name#lamp", "-name#Lamp"]),
            ("lamp", "Lamp", &["+name#lamp", "+name#Lamp"]),
        ] {
            let claims = NameClaim::keys_of(&name(before));
            assert_eq!(keys(&claim(after).take(&claims, &taken())), writes);
        }
    }

    #[test]
    fn a_rename_frees_only_claims_of_the_product() {
        let writes = claim("Lantern").take(&[NameClaim::typed_key_of(&name("Lamp"))], &taken());
        assert_eq!(keys(&writes), ["+name#lantern", "+name#Lantern", "-name#Lamp"]);
        let id = effects::text(lamp().product_id.to_string());
        assert_eq!(writes[2].condition, Some(Condition::Equals("productId", id)));
    }

    fn keys(writes: &[Write]) -> Vec<String> {
        let sign =
            |write: &Write| if matches!(write.action, WriteAction::Delete) { '-' } else { '+' };
        writes.iter().map(|write| format!("{}{}", sign(write), write.key.pk)).collect()
    }

    fn claim(raw: &str) -> NameClaim {
        NameClaim { name: name(raw), product_id: lamp().product_id }
    }

    fn name(raw: &str) -> ProductName {
        // As the previous version stored it.
        serde_json::from_value(raw.into()).unwrap()
    }

    fn taken() -> DomainError {
        error_codes::NAME_TAKEN.into()
    }
}
