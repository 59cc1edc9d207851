//! The people of a simulated store.

use domain::people::{Role, Tier};
use uuid::Uuid;

/// A part of each password and of each credential, so that a leak is easy to find.
pub const SECRET: &str = "S3CR3T";

/// The customers that are there from the beginning.
pub const CUSTOMERS: usize = 6;

/// A person with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// One of the first customers.
    Customer(usize),
    /// A customer who ships free.
    Gold,
    /// A customer whose address bounces at some time.
    Bouncing,
    /// One of two writers.
    Writer(usize),
    /// One of three editors.
    Editor(usize),
    /// The merchant.
    Merchant,
    /// The administrator.
    Admin,
}

impl Person {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let customers = (0..CUSTOMERS).map(Self::Customer);
        let writers = (0..2).map(Self::Writer);
        let editors = (0..3).map(Self::Editor);
        let others = [Self::Gold, Self::Bouncing, Self::Merchant, Self::Admin];
        customers.chain(writers).chain(editors).chain(others)
    }

    /// The number in their ids.
    pub fn number(self) -> u128 {
        match self {
            Self::Gold => 1,
            Self::Bouncing => 2,
            Self::Merchant => 3,
            Self::Admin => 4,
            Self::Writer(index) => 0x10 + index as u128,
            Self::Editor(index) => 0x20 + index as u128,
            Self::Customer(index) => 0x30 + index as u128,
        }
    }

    /// The mailbox.
    pub fn mailbox(self) -> String {
        match self {
            Self::Customer(index) => format!("customer{index}"),
            Self::Writer(index) => format!("writer{index}"),
            Self::Editor(index) => format!("editor{index}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    /// The e-mail address.
    pub fn email(self) -> String {
        format!("{}@example.com", self.mailbox())
    }

    /// The id.
    pub fn id(self) -> Uuid {
        fixed_id(self.number())
    }

    /// The id of their postal address.
    pub fn address_id(self) -> Uuid {
        fixed_id(0x1000 + self.number())
    }

    /// The roles.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Customer(_) | Self::Gold | Self::Bouncing => &[Role::Customer],
            Self::Writer(_) => &[Role::Customer, Role::Writer],
            Self::Editor(_) => &[Role::Customer, Role::Editor],
            Self::Merchant => &[Role::Customer, Role::Merchant],
            Self::Admin => &[Role::Customer, Role::Admin],
        }
    }

    /// The tier.
    pub fn tier(self) -> Tier {
        if self == Self::Gold { Tier::Gold } else { Tier::Standard }
    }
}

/// The password of all people who are there from the beginning.
pub const PASSWORD: &str = "S3CR3T-correct-horse";

/// An id that is easy to recognise.
pub fn fixed_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 | number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn people_have_different_ids_and_addresses() {
        let people: Vec<Person> = Person::all().collect();
        let ids: BTreeSet<Uuid> =
            people.iter().flat_map(|person| [person.id(), person.address_id()]).collect();
        assert_eq!(ids.len(), 2 * people.len());
        let emails: BTreeSet<String> = people.iter().map(|person| person.email()).collect();
        assert_eq!(emails.len(), people.len());
    }
}
