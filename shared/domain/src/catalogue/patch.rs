//! Changes of products.

use lifecycle::input::Given;
use lifecycle::newtypes::{CAPITALISED, is_capitalised};
use lifecycle::{FieldErrors, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Description, Discount, Price, Product, ProductName, Stock};

/// A change of a product, as a client submits it. It changes only the fields that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct ProductPatch {
    /// Its new name, unique in the catalogue.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub name: Given<NewName>,
    /// Its new description.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub description: Given<Description>,
    /// The new price of one piece, before the discount.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub price: Given<Price>,
    /// The discount on the price, in whole percent.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub discount: Given<Discount>,
    /// The number of pieces in stock, after all sales so far. With `If-Match` the change fails if a
    /// sale came after the count: every sale increases the version.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub stock: Given<Stock>,
    /// Whether it can be ordered.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub available: Given<bool>,
}

impl ProductPatch {
    /// Checks the fields together.
    ///
    /// # Errors
    ///
    /// If it has no field.
    pub fn checked(self) -> Result<Self, FieldErrors> {
        if self == Self::default() {
            return Err(FieldErrors::one("", "must have at least one field"));
        }
        Ok(self)
    }

    /// The product after the change.
    #[must_use]
    pub fn applied_to(&self, product: &Product, now: Timestamp) -> Product {
        Product {
            product_id: product.product_id,
            owner_id: product.owner_id,
            name: self.name.get().map_or(&product.name, |name| &name.0).clone(),
            description: self.description.or(&product.description),
            price: self.price.or(&product.price),
            discount: self.discount.or(&product.discount),
            stock: self.stock.get().map_or(product.stock, |stock| (*stock).into()),
            stock_parts: product.stock_parts,
            sold_at: product.sold_at,
            available: self.available.or(&product.available),
            version: product.version + 1,
            created_at: product.created_at,
            updated_at: now,
        }
    }
}

/// A new name for a product: it starts with an upper-case letter (seed 002).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewName(ProductName);

impl TryFrom<String> for NewName {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        let name = ProductName::try_from(raw)?;
        if is_capitalised(name.as_str()) {
            Ok(Self(name))
        } else {
            Err("must start with an upper-case letter".to_owned())
        }
    }
}

lifecycle::checked!(NewName, String, {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "pattern": CAPITALISED
});

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::examples::{lamp, moment, read};

    #[test]
    fn a_patch_changes_only_the_fields_that_it_has() {
        let lamp = lamp();
        let cases = [
            ("name", json!("Lantern")),
            ("description", json!("It glows.")),
            ("price", json!({ "amount": 300, "currency": "USD" })),
            ("discount", json!(0)),
            ("stock", json!(7)),
            ("available", json!(false)),
        ];
        for (field, value) in cases {
            let patch: ProductPatch = read(json!({ field: value }));
            let changed = patch.checked().unwrap().applied_to(&lamp, moment().now());
            let mut expected = serde_json::to_value(&lamp).unwrap();
            expected[field] = value;
            expected["version"] = json!(2);
            assert_eq!(serde_json::to_value(changed).unwrap(), expected, "{field}");
        }
    }

    #[test]
    fn an_empty_patch_is_a_field_error() {
        assert!(read::<ProductPatch>(json!({})).checked().is_err());
    }

    #[test]
    fn a_new_name_starts_with_an_upper_case_letter() {
        for (name, taken) in [
            ("Lamp", true),
            ("Äpfel", true),
            ("lamp", false),
            ("7 lamps", false),
            ("", false),
            (" Lamp", true),
            ("\u{1C5}urica", false),
            ("\u{2160}", false),
            ("\u{200B}Lamp", false),
        ] {
            let read = serde_json::from_value::<ProductPatch>(json!({ "name": name }));
            assert_eq!(read.is_ok(), taken, "{name:?}");
        }
        assert!(serde_json::from_value::<NewName>(Value::Null).is_err());
    }
}
