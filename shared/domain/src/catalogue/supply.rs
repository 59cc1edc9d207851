//! The pieces that an order takes out of the stock of a product.

use std::cmp::Reverse;
use std::iter::once;

use lifecycle::effects::{Write, number};
use lifecycle::record::Key;
use lifecycle::{Moment, Timestamp};

use super::{OfferedProduct, Product, ProductId, StockPart};

/// The parts of a product whose orders conflict: enough for 500 orders a second.
const PARTS: u16 = 32;
/// The least pieces that are split: eight in each part. Fewer are sold in some seconds by one item.
const SPLIT_FROM: i64 = 256;

/// The stock of a product in parts, as far as an order has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    product_id: ProductId,
    /// The number of the parts.
    count: u16,
    /// The part that the order takes its pieces from if it has enough of them.
    preferred: u16,
    /// The parts that were read.
    parts: Vec<StockPart>,
    /// Whether these are all.
    is_complete: bool,
}

/// The pieces of one item of an order, taken out of stock.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The writes: one of most items.
    pub writes: Vec<Write>,
    /// The part that gets the pieces if they come back; `None` for the product itself.
    pub part: Option<u16>,
}

impl Supply {
    /// The supply of a product before any part is read; `None` if its stock is not in parts.
    ///
    /// The preferred part is drawn by the order's moment, so that orders spread over all parts.
    pub fn of(product: &OfferedProduct, moment: &Moment) -> Option<Self> {
        let count = product.stock_parts.filter(|count| *count > 0)?;
        let product_id = product.product_id;
        let drawn = moment.id(&format!("part of {product_id}")).as_u128() % u128::from(count);
        // It is below the count.
        let preferred = u16::try_from(drawn).unwrap_or_default();
        Some(Self { product_id, count, preferred, parts: Vec::new(), is_complete: false })
    }

    /// The product.
    pub fn product_id(&self) -> ProductId {
        self.product_id
    }

    /// The key of the preferred part.
    pub fn preferred_key(&self) -> Key {
        StockPart::key_of(self.product_id, self.preferred)
    }

    /// The supply with this part read, or with none if it is missing.
    #[must_use]
    pub fn with_one(self, part: Option<StockPart>) -> Self {
        Self { parts: part.into_iter().collect(), ..self }
    }

    /// The supply with all parts read.
    #[must_use]
    pub fn with_all(self, parts: impl IntoIterator<Item = StockPart>) -> Self {
        Self { parts: parts.into_iter().collect(), is_complete: true, ..self }
    }

    /// Whether all parts have to be read: otherwise the last pieces could not be sold.
    pub fn needs_all(&self, product: &OfferedProduct, quantity: i64) -> bool {
        let has_enough = self.enough_in_preferred(quantity).is_some();
        !self.is_complete && !has_enough && product.stock.get() < quantity
    }

    fn enough_in_preferred(&self, quantity: i64) -> Option<&StockPart> {
        let is_enough =
            |part: &&StockPart| part.part == self.preferred && part.pieces.get() >= quantity;
        self.parts.iter().find(is_enough)
    }

    /// Takes the pieces from the preferred part. An empty part is filled from the product; if that has
    /// too few pieces, other parts give theirs.
    fn take(&self, product: &OfferedProduct, quantity: i64, at: Timestamp) -> Option<Taken> {
        let part = Some(self.preferred);
        if let Some(found) = self.enough_in_preferred(quantity) {
            return Some(Taken { writes: vec![found.take(quantity)], part });
        }
        let own = product.stock.get();
        if own < quantity {
            return Some(Taken { writes: self.gathered(product, quantity, at)?, part });
        }
        let moved = quantity.max(own / i64::from(self.count));
        let mut writes = vec![Product::take(self.product_id, moved, at)];
        if moved > quantity {
            writes.push(StockPart::add(self.product_id, self.preferred, moved - quantity));
        }
        Some(Taken { writes, part })
    }

    /// The pieces of another part that has enough, or of several parts and the product.
    fn gathered(
        &self,
        product: &OfferedProduct,
        quantity: i64,
        at: Timestamp,
    ) -> Option<Vec<Write>> {
        let mut parts: Vec<&StockPart> = self.parts.iter().collect();
        // The search begins at the preferred part, so that orders of empty parts do not all take
        // from the first part.
        parts.sort_by_key(|part| (part.part < self.preferred, part.part));
        if let Some(part) = parts.iter().find(|part| part.pieces.get() >= quantity) {
            return Some(vec![part.take(quantity)]);
        }
        parts.sort_by_key(|part| Reverse(part.pieces.get()));
        let (mut left, mut writes) = (quantity, Vec::new());
        for part in parts {
            let taken = part.pieces.get().min(left);
            if taken <= 0 {
                break;
            }
            writes.push(part.take(taken));
            left -= taken;
        }
        let own = product.stock.get().min(left);
        if own > 0 {
            writes.push(Product::take(self.product_id, own, at));
            left -= own;
        }
        (left == 0).then_some(writes)
    }
}

/// Why the pieces of an item cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// There are too few.
    OutOfStock,
    /// There are enough, in more parts than the order may write.
    Scattered,
}

/// Takes pieces of a product out of stock, by at most `writes_max` writes.
///
/// `at` is the time at which the order began. If the product was sold to a later order meanwhile, its
/// orders conflict: then its stock is split into parts, in the same commit.
///
/// # Errors
///
/// If there are too few pieces, or they are in too many parts.
pub fn take_pieces(
    product: &OfferedProduct,
    supply: Option<&Supply>,
    quantity: i64,
    at: Timestamp,
    writes_max: usize,
) -> Result<Taken, Shortage> {
    let taken = match supply {
        Some(supply) => supply.take(product, quantity, at),
        None => take_from_item(product, quantity, at, writes_max),
    };
    let taken = taken.ok_or(Shortage::OutOfStock)?;
    if taken.writes.len() <= writes_max { Ok(taken) } else { Err(Shortage::Scattered) }
}

/// Takes pieces of a product that is in one item, which may be split.
fn take_from_item(
    product: &OfferedProduct,
    quantity: i64,
    at: Timestamp,
    writes_max: usize,
) -> Option<Taken> {
    let rest = product.stock.get().checked_sub(quantity).filter(|rest| *rest >= 0)?;
    let is_contended = product.sold_at.is_some_and(|sold_at| sold_at >= at);
    if is_contended && rest >= SPLIT_FROM && writes_max > usize::from(PARTS) {
        return Some(split(product, quantity, at));
    }
    let writes = vec![Product::take(product.product_id, quantity, at)];
    Some(Taken { writes, part: None })
}

/// Takes the pieces, and moves the others into parts.
fn split(product: &OfferedProduct, quantity: i64, at: Timestamp) -> Taken {
    let product_id = product.product_id;
    let each = (product.stock.get() - quantity) / i64::from(PARTS);
    let moved = quantity + each * i64::from(PARTS);
    let own = Product::take(product_id, moved, at).set("stockParts", number(PARTS));
    let parts = (0..PARTS).map(|part| StockPart::add(product_id, part, each));
    Taken { writes: once(own).chain(parts).collect(), part: None }
}

#[cfg(test)]
mod tests;
