//! The identities of SES: the domains and addresses that are verified.

use std::collections::BTreeSet;

use crate::template::Template;

/// The verified identities, and whether mail may go to others.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    /// In small letters.
    verified: BTreeSet<String>,
    sandbox: bool,
}

impl Identities {
    /// Domains and addresses that are verified. In the sandbox, recipients have to be as well.
    pub fn new(verified: impl IntoIterator<Item = String>, sandbox: bool) -> Self {
        let verified = verified.into_iter().map(|identity| identity.to_lowercase());
        Self { verified: verified.collect(), sandbox }
    }

    /// Those of somebody who has followed the instructions: the domain of the template's parameter
    /// `MailFrom`.
    pub fn of_sender(template: &Template, sandbox: bool) -> Self {
        let domain = template.mail_from.iter().filter_map(|sender| domain(sender));
        Self::new(domain.map(str::to_owned), sandbox)
    }

    /// Whether mail goes to verified recipients alone, as from a new account.
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// The identity that stands for an address: the address itself, if that is verified, or else the
    /// nearest domain above it that is.
    pub fn of(&self, address: &str) -> Option<&str> {
        let address = address.to_lowercase();
        let above = std::iter::successors(Some(domain(&address)?), |domain| {
            domain.split_once('.').map(|(_, above)| above)
        });
        let mut candidates = std::iter::once(address.as_str()).chain(above);
        candidates.find_map(|candidate| self.verified.get(candidate)).map(String::as_str)
    }
}

/// An address without the name before it: of `Store <a@example.com>` that is `a@example.com`.
pub(super) fn bare(address: &str) -> &str {
    let inside = address.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<'));
    inside.map_or(address.trim(), |(_, inside)| inside.trim())
}

fn domain(address: &str) -> Option<&str> {
    bare(address).rsplit_once('@').map(|(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_goes_before_its_domain_and_a_domain_holds_for_those_below_it() {
        let verified = ["Example.com", "boss@example.com", "mail.example.org"];
        let identities = Identities::new(verified.map(str::to_owned), false);
        for (address, identity) in [
            ("no-reply@example.com", Some("example.com")),
            ("No-Reply@EXAMPLE.com", Some("example.com")),
            ("boss@example.com", Some("boss@example.com")),
            ("boss@eu.example.com", Some("example.com")),
            ("boss@example.org", None),
            ("boss@other.example", None),
            ("example.com", None),
        ] {
            assert_eq!(identities.of(address), identity, "{address}");
        }
    }

    #[test]
    fn a_name_before_an_address_is_no_part_of_it() {
        for address in
            ["a@example.com", " a@example.com ", "Store <a@example.com>", "<a@example.com>"]
        {
            assert_eq!(bare(address), "a@example.com");
        }
    }
}
