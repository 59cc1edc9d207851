//! Products with all parts of their stock.

use std::cmp::Reverse;

use lifecycle::effects::Write;
use lifecycle::{EntityTag, Timestamp};

use super::{Pieces, Product, ProductPatch, ProductView, StockPart};

/// A product with all parts of its stock, as it is shown and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockedProduct {
    /// The product. Its `stock` does not count the pieces in the parts.
    pub product: Product,
    /// The parts; none of most products.
    pub parts: Vec<StockPart>,
}

impl StockedProduct {
    /// A product with its parts, which are among these.
    pub fn of(product: Product, parts: &[StockPart]) -> Self {
        let own = parts.iter().filter(|part| part.product_id == product.product_id);
        Self { parts: own.cloned().collect(), product }
    }

    /// A product with its stock in so many parts of the same size. The rest stays in the product.
    #[must_use]
    pub fn split(product: Product, count: u16) -> Self {
        let stock = product.stock.get();
        let each = stock.checked_div(count.into()).unwrap_or_default();
        let part = |part| StockPart {
            product_id: product.product_id,
            part,
            pieces: Pieces::of(each),
            version: 1,
        };
        let parts: Vec<StockPart> = (0..count).map(part).collect();
        let rest = Pieces::of(stock - each * i64::from(count));
        let version = product.version + 1;
        Self {
            product: Product { stock: rest, stock_parts: Some(count), version, ..product },
            parts,
        }
    }

    /// All pieces in stock.
    pub fn pieces(&self) -> Pieces {
        Pieces::of(self.product.stock.get().saturating_add(self.pieces_in_parts()))
    }

    /// Increases with every change of the product and of each part.
    pub fn version(&self) -> u64 {
        self.parts.iter().fold(self.product.version, |sum, part| sum.saturating_add(part.version))
    }

    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version())
    }

    /// The product after a change, and the writes of the parts that it changes.
    ///
    /// A new stock is the sum of the product and its parts. Only the product's own part of it is set, so
    /// that sales from the parts go on: a sale after the read counts as a sale after the change. If
    /// the parts have more than the new stock, the fullest ones lose the difference.
    #[must_use]
    pub fn changed_by(&self, patch: &ProductPatch, now: Timestamp) -> (Self, Vec<Write>) {
        let mut after =
            Self { product: patch.applied_to(&self.product, now), parts: self.parts.clone() };
        let mut writes = Vec::new();
        if patch.stock.get().is_none() {
            return (after, writes);
        }
        let own = after.product.stock.get().saturating_sub(self.pieces_in_parts());
        after.product.stock = Pieces::of(own.max(0));
        let mut surplus = own.min(0).saturating_neg();
        let mut fullest: Vec<&mut StockPart> = after.parts.iter_mut().collect();
        fullest.sort_by_key(|part| Reverse(part.pieces.get()));
        for part in fullest {
            let taken = part.pieces.get().min(surplus);
            if taken <= 0 {
                break;
            }
            writes.push(part.take(taken));
            part.pieces = Pieces::of(part.pieces.get() - taken);
            part.version += 1;
            surplus -= taken;
        }
        (after, writes)
    }

    fn pieces_in_parts(&self) -> i64 {
        self.parts.iter().fold(0, |sum: i64, part| sum.saturating_add(part.pieces.get()))
    }
}

impl From<StockedProduct> for ProductView {
    fn from(stocked: StockedProduct) -> Self {
        let (stock, version) = (stocked.pieces(), stocked.version());
        Self { stock, version, ..Self::from(stocked.product) }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Change, Condition, WriteAction};
    use serde_json::json;

    use super::*;
    use crate::catalogue::Stock;
    use crate::examples::{lamp, moment, read};

    /// Ten lamps: three in each of three parts, and one in the product.
    fn ten_lamps() -> StockedProduct {
        let stock = Stock::try_from(10).unwrap().into();
        StockedProduct::split(Product { stock, ..lamp() }, 3)
    }

    #[test]
    fn a_split_product_has_all_its_pieces_and_a_later_version() {
        let split = ten_lamps();
        let pieces: Vec<i64> = split.parts.iter().map(|part| part.pieces.get()).collect();
        assert_eq!((pieces.as_slice(), split.product.stock.get()), (&[3, 3, 3][..], 1));
        assert_eq!((split.pieces().get(), split.product.stock_parts), (10, Some(3)));
        assert_eq!((split.product.version, split.version()), (2, 5), "a lamp has version 1");
        let view = ProductView::from(split.clone());
        assert_eq!((view.stock.get(), view.version), (10, split.version()));
    }

    #[test]
    fn parts_of_other_products_are_left_out() {
        let split = ten_lamps();
        let other = StockPart { product_id: moment().id("other").into(), ..split.parts[0].clone() };
        let found = StockedProduct::of(split.product.clone(), &[other, split.parts[0].clone()]);
        assert_eq!(found.parts, split.parts[..1]);
    }

    #[test]
    fn a_new_stock_is_the_sum_of_the_product_and_its_parts() {
        for (stock, own, taken) in
            [(12, 3, &[][..]), (9, 0, &[]), (5, 0, &[3, 1]), (0, 0, &[3, 3, 3])]
        {
            let patch: ProductPatch = read(json!({ "stock": stock }));
            let (after, writes) = ten_lamps().changed_by(&patch, moment().now());
            assert_eq!((after.pieces().get(), after.product.stock.get()), (stock, own), "{stock}");
            // The product and each part that loses pieces have their next version.
            let versions = 1 + u64::try_from(taken.len()).unwrap();
            assert_eq!(after.version(), ten_lamps().version() + versions, "{stock}");
            let conditions: Vec<_> = writes.iter().map(|it| it.condition.clone()).collect();
            let expected = taken.iter().map(|it| Some(Condition::AtLeast("pieces", *it)));
            assert_eq!(conditions, expected.collect::<Vec<_>>(), "{stock}");
        }
    }

    #[test]
    fn a_change_without_a_stock_leaves_the_parts_alone() {
        let patch: ProductPatch = read(json!({ "discount": 7 }));
        let before = ten_lamps();
        let (after, writes) = before.changed_by(&patch, moment().now());
        assert_eq!((after.parts, after.product.stock), (before.parts, before.product.stock));
        assert!(writes.is_empty());
    }

    #[test]
    fn pieces_that_are_added_to_a_missing_part_make_a_readable_one() {
        let WriteAction::Update(changes) = StockPart::add(lamp().product_id, 2, 5).action else {
            panic!("no update")
        };
        let mut item = serde_json::Map::new();
        for change in changes {
            let (name, value) = match change {
                Change::Set(name, value) => (name, serde_dynamo::from_attribute_value(value)),
                Change::Add(name, amount) => (name, Ok(json!(amount))),
                Change::Remove(name) => panic!("{name} is removed"),
            };
            item.insert(name.to_owned(), value.unwrap());
        }
        let part: StockPart = serde_json::from_value(item.into()).unwrap();
        assert_eq!((part.part, part.pieces.get(), part.version), (2, 5, 1));
    }
}
