//! The identities of SES: the verified domains and addresses.

use std::collections::BTreeSet;

use sam_template::Template;

/// The verified identities, and whether SES is in the sandbox.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    /// In lower case.
    verified: BTreeSet<String>,
    sandbox: bool,
}

impl Identities {
    /// Verified domains and addresses. In the sandbox, recipients must be verified too.
    pub fn new(verified: impl IntoIterator<Item = String>, sandbox: bool) -> Self {
        let verified = verified.into_iter().map(|identity| identity.to_lowercase());
        Self { verified: verified.collect(), sandbox }
    }

    /// The default identities, as the instructions set them up: the domain of the template's
    /// parameter `MailFrom`.
    pub fn of_sender(template: &Template, sandbox: bool) -> Self {
        let domain = template.mail_from.iter().filter_map(|sender| domain(sender));
        Self::new(domain.map(str::to_owned), sandbox)
    }

    /// Whether recipients must be verified, as in a new account.
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// The identity of an address: the address itself if verified, or else its nearest verified
    /// domain.
    pub fn of(&self, address: &str) -> Option<&str> {
        let address = address.to_lowercase();
        let above = std::iter::successors(Some(domain(&address)?), |domain| {
            domain.split_once('.').map(|(_, above)| above)
        });
        let mut candidates = std::iter::once(address.as_str()).chain(above);
        candidates.find_map(|candidate| self.verified.get(candidate)).map(String::as_str)
    }
}

/// An address without its display name: `a@example.com` for `Store <a@example.com>`.
pub(crate) fn bare(address: &str) -> &str {
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
    fn an_address_precedes_its_domain_and_a_domain_covers_subdomains() {
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
    fn a_display_name_is_not_part_of_an_address() {
        for address in
            ["a@example.com", " a@example.com ", "Store <a@example.com>", "<a@example.com>"]
        {
            assert_eq!(bare(address), "a@example.com");
        }
    }
}
