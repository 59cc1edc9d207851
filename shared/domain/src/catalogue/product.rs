//! Products.

use lifecycle::effects::{self, Condition, Write};
use lifecycle::newtypes::text;
use lifecycle::record::{IndexKey, Key, Record, TableName};
use lifecycle::{EntityTag, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Discount, NameClaim, Pieces, Price, ProductId, ProductName, Stock, StockPart};
use crate::people::UserId;
use crate::resources::{BY_CREATION, PRODUCTS};

/// A product as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    pub product_id: ProductId,
    /// The merchant who offers it.
    pub owner_id: UserId,
    /// Its name, unique in the catalogue.
    pub name: ProductName,
    /// Its description.
    pub description: Description,
    /// The price of one piece, before the discount.
    pub price: Price,
    /// The discount on the price.
    pub discount: Discount,
    /// The number of pieces in stock that are not in parts.
    pub stock: Pieces,
    /// The number of parts that have more pieces, if the stock is in parts. It never falls, since a
    /// cancelled order returns its pieces to their part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_parts: Option<u16>,
    /// When the last order began that took pieces of this item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_at: Option<Timestamp>,
    /// Whether it can be ordered.
    pub available: bool,
    /// Increases with every change, also of this item's stock.
    pub version: u64,
    /// When it was added to the catalogue.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Product {
    /// A new product of this merchant.
    pub fn new(moment: &Moment, owner_id: UserId, draft: &ProductDraft) -> Self {
        Self {
            product_id: draft.product_id.unwrap_or_else(|| moment.id("product").into()),
            owner_id,
            name: draft.name.clone(),
            description: draft.description.clone(),
            price: draft.price,
            discount: draft.discount,
            stock: draft.stock.into(),
            stock_parts: None,
            sold_at: None,
            available: true,
            version: 1,
            created_at: moment.now(),
            updated_at: moment.now(),
        }
    }

    /// The key of a product.
    pub fn key_of(product_id: ProductId) -> Key {
        Key::new(product_id)
    }

    /// The keys of all parts of the stock; none of most products.
    pub fn part_keys(&self) -> impl Iterator<Item = Key> {
        StockPart::keys_of(self.product_id, self.stock_parts)
    }

    /// Takes pieces out of stock for an order that began at this time, if they are still there.
    /// Otherwise the facts have changed: the order is decided again, and that decision names the items
    /// that are out of stock.
    ///
    /// Only the stock is a condition: a merchant's other changes apply from the next order on. The
    /// version still increases, so that a merchant's change does not undo a sale.
    pub fn take(product_id: ProductId, quantity: i64, at: Timestamp) -> Write {
        Write::update::<Self>(Self::key_of(product_id))
            .add("stock", -quantity)
            .add("version", 1)
            .set("soldAt", effects::text(at.to_string()))
            .when(Condition::AtLeast("stock", quantity))
    }

    /// Returns pieces to the stock.
    pub fn give_back(product_id: ProductId, quantity: i64) -> Write {
        Write::update::<Self>(Self::key_of(product_id)).add("stock", quantity).add("version", 1)
    }

    /// The price that a customer pays for one piece.
    pub fn actual_price(&self) -> Price {
        self.price.less(self.discount)
    }

    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version)
    }

    /// The claim to the product's name.
    pub fn name_claim(&self) -> NameClaim {
        NameClaim { name: self.name.clone(), product_id: self.product_id }
    }
}

impl Record for Product {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Self::key_of(self.product_id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let position = format_args!("{}#{}", self.created_at, self.product_id);
        vec![IndexKey::sharded(BY_CREATION, self.product_id, position)]
    }
}

/// A new product, as a client submits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub product_id: Option<ProductId>,
    /// Its name, unique in the catalogue: names that differ only in case, in blanks or in how their
    /// characters are composed count as one.
    pub name: ProductName,
    /// Its description.
    pub description: Description,
    /// The price of one piece, before the discount.
    pub price: Price,
    /// The discount on the price, in whole percent.
    pub discount: Discount,
    /// The number of pieces in stock.
    pub stock: Stock,
}

/// A product as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductView {
    /// Its id.
    pub product_id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// Its description.
    pub description: Description,
    /// The price of one piece, before the discount.
    pub price: Price,
    /// The discount on the price, in whole percent.
    pub discount: Discount,
    /// The price of one piece, after the discount.
    pub actual_price: Price,
    /// The number of pieces in stock.
    pub stock: Pieces,
    /// Whether it can be ordered.
    pub available: bool,
    /// Increases with every change.
    pub version: u64,
    /// When it was added to the catalogue.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            actual_price: product.actual_price(),
            product_id: product.product_id,
            name: product.name,
            description: product.description,
            price: product.price,
            discount: product.discount,
            stock: product.stock,
            available: product.available,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

text! {
    /// The description of a product.
    Description: 0..=2_000
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Change, WriteAction};
    use lifecycle::record::item_of;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::catalogue::ProductPatch;
    use crate::examples::{lamp, moment, read};

    /// The stored product after an update.
    fn updated(product: &Product, write: &Write) -> Product {
        let WriteAction::Update(changes) = &write.action else { panic!("not an update") };
        let mut item = item_of(product);
        for change in changes {
            let Change::Add(name, amount) = change else { panic!("not an addition") };
            let Some(serde_dynamo::AttributeValue::N(before)) = item.get(*name) else {
                panic!("{name} is no number")
            };
            let after = before.parse::<i64>().unwrap() + amount;
            item.insert((*name).to_owned(), effects::number(after));
        }
        Product::of_item(item).unwrap()
    }

    #[test]
    fn stock_beyond_the_bounds_of_input_is_read_shown_and_changed() {
        let full = Product { stock: Stock::MAX.into(), ..lamp() };
        let fuller = updated(&full, &Product::give_back(full.product_id, 2));
        assert_eq!(fuller.stock.get(), 1_000_000_002);

        let patch: ProductPatch = read(json!({ "available": false }));
        let changed = patch.applied_to(&fuller, moment().now());
        assert_eq!(Product::of_item(item_of(&changed)).unwrap(), changed);
        let view = serde_json::to_value(ProductView::from(changed)).unwrap();
        assert_eq!(view["stock"], 1_000_000_002_i64);

        let patch = json!({ "stock": 1_000_000_001 });
        assert!(serde_json::from_value::<ProductPatch>(patch).is_err(), "beyond the maximum");
    }

    #[test]
    fn a_product_is_listed_by_its_creation_and_has_the_keys_of_its_parts() {
        let product = Product { stock_parts: Some(2), ..lamp() };
        let places = product.indexed();
        let [place] = &places[..] else { panic!("{places:?}") };
        let position = format!("{}#{}", product.created_at, product.product_id);
        assert_eq!((place.index, &place.position), (BY_CREATION, &position));
        assert_eq!(product.part_keys().count(), 2);
    }

    #[test]
    fn a_currency_of_a_later_version_makes_that_product_unreadable() {
        let mut item = serde_json::to_value(lamp()).unwrap();
        item["price"]["currency"] = "XTS".into();
        let item = serde_dynamo::to_item(item).unwrap();
        assert!(Product::of_item(item).is_err());
    }

    proptest! {
        #[test]
        fn a_product_with_texts_that_input_refuses_today_is_read_as_it_was_stored(
            name in ".{0,300}", description in "(?s).{0,50}", stock in 0..i64::MAX,
        ) {
            let mut stored = serde_json::to_value(lamp()).unwrap();
            stored["name"] = name.into();
            stored["description"] = description.into();
            stored["stock"] = stock.into();
            let item = serde_dynamo::to_item(&stored).unwrap();
            let product = Product::of_item(item).unwrap();
            prop_assert_eq!(serde_json::to_value(product).unwrap(), stored);
        }
    }
}
