//! The parameters of the business rules, which an operator can change while the system runs.

use lifecycle::input::List;
use lifecycle::newtypes::bounded_int;
use lifecycle::record::{Key, Record, Singleton, TableName};
use lifecycle::{EntityTag, FieldErrors};
use schemars::JsonSchema;
use serde::Serialize;

use crate::catalogue::{Amount, Currency, Money, Price};
use crate::people::Tier;
use crate::resources::SETTINGS;

/// The parameters of the business rules, as they are stored. There is one set of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusinessRules {
    /// The number of approvals that an article needs before it is published.
    pub approvals_needed: ApprovalsNeeded,
    /// The tiers of customers who pay no shipping.
    #[schemars(extend("uniqueItems" = true))]
    pub free_shipping_tiers: Vec<Tier>,
    /// The shipping price of all other customers, per order.
    pub shipping: Money,
    /// The maximum number of items in an order.
    pub items_per_order: ItemsPerOrder,
    /// The maximum number of pieces of one item.
    pub quantity_per_item: QuantityPerItem,
    /// How long an order waits for the approval of its customer.
    pub saga_timeout_seconds: SagaTimeoutSeconds,
    /// The sum of unsettled orders up to which a customer is approved.
    pub open_credit: Money,
    /// Increases with every change; 0 stands for the defaults.
    pub version: u64,
}

impl BusinessRules {
    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version)
    }
}

impl Default for BusinessRules {
    /// The rules that hold until an administrator changes them.
    fn default() -> Self {
        let euros =
            |cents| Money { amount: Amount::of_minor_units(cents), currency: Currency::EUR };
        Self {
            approvals_needed: ApprovalsNeeded(2),
            free_shipping_tiers: vec![Tier::Gold],
            shipping: euros(490),
            items_per_order: ItemsPerOrder::MAX,
            quantity_per_item: QuantityPerItem::MAX,
            saga_timeout_seconds: SagaTimeoutSeconds(900),
            open_credit: euros(500_000),
            version: 0,
        }
    }
}

impl Record for BusinessRules {
    const TABLE: TableName = SETTINGS;

    /// An operator may have written them without `PUT /rules`. The last valid rules then hold in
    /// place of invalid ones.
    const CHECKED_ON_LOADING: bool = true;

    fn key(&self) -> Key {
        Self::the_key()
    }
}

impl Singleton for BusinessRules {
    fn the_key() -> Key {
        Key::new("rules")
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn checked(self) -> Result<Self, FieldErrors> {
        let mut field_errors = FieldErrors::none();
        if self.shipping.currency != self.open_credit.currency {
            field_errors.add("/openCredit/currency", "must be the currency of the shipping price");
        }
        for (index, tier) in self.free_shipping_tiers.iter().enumerate() {
            if self.free_shipping_tiers[..index].contains(tier) {
                field_errors.add(format!("/freeShippingTiers/{index}"), "must not be repeated");
            }
        }
        field_errors.or(self)
    }
}

/// The parameters of the business rules, as an operator writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesDraft {
    /// The number of approvals that an article needs before it is published.
    pub approvals_needed: ApprovalsNeeded,
    /// The tiers of customers who pay no shipping.
    #[schemars(extend("uniqueItems" = true))]
    pub free_shipping_tiers: List<Tier, 0, { Tier::ALL.len() }>,
    /// The shipping price of all other customers, per order. It is bounded like a product's price,
    /// so that no total of an order can overflow.
    pub shipping: Price,
    /// The maximum number of items in an order.
    pub items_per_order: ItemsPerOrder,
    /// The maximum number of pieces of one item.
    pub quantity_per_item: QuantityPerItem,
    /// How long an order waits for the approval of its customer, in seconds.
    pub saga_timeout_seconds: SagaTimeoutSeconds,
    /// The sum of unsettled orders up to which a customer is approved.
    pub open_credit: Money,
}

impl RulesDraft {
    /// The new rules, with this version.
    pub fn at_version(self, version: u64) -> BusinessRules {
        BusinessRules {
            approvals_needed: self.approvals_needed,
            free_shipping_tiers: self.free_shipping_tiers.into_vec(),
            shipping: self.shipping.times(1),
            items_per_order: self.items_per_order,
            quantity_per_item: self.quantity_per_item,
            saga_timeout_seconds: self.saga_timeout_seconds,
            open_credit: self.open_credit,
            version,
        }
    }
}

bounded_int! {
    /// The number of approvals that an article needs.
    ApprovalsNeeded: 1..=5
}

bounded_int! {
    /// The maximum number of items in an order.
    ItemsPerOrder: 1..=25
}

bounded_int! {
    /// The maximum number of pieces of one item.
    QuantityPerItem: 1..=99
}

bounded_int! {
    /// How long a saga waits, in seconds.
    SagaTimeoutSeconds: 1..=86_400
}

#[cfg(test)]
mod tests {
    use lifecycle::examples::read;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_default_rules_are_consistent() {
        let rules = BusinessRules::default();
        assert_eq!(rules.clone().checked(), Ok(rules));
    }

    #[test]
    fn a_second_currency_and_a_repeated_tier_are_both_reported() {
        let dollars =
            Money { amount: Amount::ZERO, currency: "USD".to_owned().try_into().unwrap() };
        let rules = BusinessRules {
            open_credit: dollars,
            free_shipping_tiers: vec![Tier::Gold, Tier::Gold],
            ..BusinessRules::default()
        };
        let field_errors = rules.checked().unwrap_err();
        let fields: Vec<_> =
            field_errors.iter().map(|field_error| field_error.field.as_str()).collect();
        assert_eq!(fields, ["/openCredit/currency", "/freeShippingTiers/1"]);
    }

    #[test]
    fn the_schema_of_a_draft_excludes_repeated_tiers() {
        let schema = schemars::schema_for!(RulesDraft).to_value();
        assert_eq!(schema["properties"]["freeShippingTiers"]["uniqueItems"], true);
    }

    #[test]
    fn a_shipping_price_that_could_overflow_a_total_is_refused() {
        let with_shipping = |amount: i64| {
            let mut draft = serde_json::to_value(BusinessRules::default()).unwrap();
            draft.as_object_mut().unwrap().remove("version");
            draft["shipping"]["amount"] = amount.into();
            serde_json::from_value::<RulesDraft>(draft)
        };
        assert!(with_shipping(10_000_000_000).is_ok());
        assert!(with_shipping(10_000_000_001).is_err());
        assert!(with_shipping(9_007_199_254_740_991).is_err());
    }

    #[test]
    fn a_draft_has_all_parameters_and_becomes_the_given_version() {
        let rules = BusinessRules { items_per_order: read(json!(3)), ..BusinessRules::default() };
        let mut draft = serde_json::to_value(&rules).unwrap();
        draft.as_object_mut().unwrap().remove("version");
        let written = read::<RulesDraft>(draft).at_version(7);
        assert_eq!(written.version(), 7);
        assert_eq!(BusinessRules { version: rules.version, ..written }, rules);
    }

    #[test]
    fn a_stored_parameter_out_of_its_bounds_is_refused() {
        let mut json = serde_json::to_value(BusinessRules::default()).unwrap();
        json["sagaTimeoutSeconds"] = 0.into();
        assert!(serde_json::from_value::<BusinessRules>(json).is_err());
    }
}
