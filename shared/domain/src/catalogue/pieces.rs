//! Numbers of pieces in stock.

use lifecycle::newtypes::bounded_int;

bounded_int! {
    /// The number of pieces in stock that a merchant enters.
    Stock: 0..=1_000_000_000
}

bounded_int! {
    /// The number of pieces of a product in stock. It may exceed the maximum that a merchant can
    /// enter, since cancelled orders return their pieces.
    Pieces: 0..=9_007_199_254_740_991
}

impl Pieces {
    /// So many pieces, within the bounds of a stored number.
    pub(super) const fn of(count: i64) -> Self {
        Self(count)
    }
}

impl From<Stock> for Pieces {
    fn from(entered: Stock) -> Self {
        Self(entered.get())
    }
}
