use lifecycle::effects::{Change, Condition, WriteAction};
use lifecycle::record::Record;
use serde_json::json;

use super::*;
use crate::catalogue::{Product, Stock, StockedProduct};
use crate::examples::{lamp, moment};

/// More writes than any order needs.
const ROOM: usize = 90;

fn lamps(stock: i64) -> Product {
    Product { stock: Stock::try_from(stock).unwrap().into(), ..lamp() }
}

fn offered(product: &Product) -> OfferedProduct {
    product.clone().into()
}

/// The time at which the order begins.
fn now() -> Timestamp {
    moment().now()
}

/// The supply of a product whose preferred part is this one, with all parts read.
fn supply(split: &StockedProduct, preferred: u16) -> Supply {
    let supply = Supply::of(&offered(&split.product), &moment()).unwrap();
    Supply { preferred, ..supply.with_all(split.parts.clone()) }
}

/// The keys that writes take pieces from or add them to, and the pieces.
fn moves(taken: &Taken) -> Vec<(String, i64)> {
    let amount = |write: &Write| {
        let WriteAction::Update(changes) = &write.action else { panic!("no update: {write:?}") };
        let added = changes.iter().find_map(|change| match change {
            Change::Add("stock" | "pieces", amount) => Some(*amount),
            _ => None,
        });
        added.unwrap()
    };
    taken.writes.iter().map(|write| (write.key.pk.clone(), amount(write))).collect()
}

fn part_key(part: u16) -> String {
    StockPart::key_of(lamp().product_id, part).pk
}

#[test]
fn a_product_that_sells_slowly_has_one_item_and_one_write() {
    let taken = take_pieces(&offered(&lamps(1_000)), None, 2, now(), ROOM).unwrap();
    assert_eq!((moves(&taken), taken.part), (vec![(lamp().key().pk, -2)], None));
    assert_eq!(taken.writes[0].condition, Some(Condition::AtLeast("stock", 2)));
    assert_eq!(
        take_pieces(&offered(&lamps(1)), None, 2, now(), ROOM).unwrap_err(),
        Shortage::OutOfStock
    );
}

#[test]
fn a_product_that_a_later_order_has_bought_meanwhile_is_split() {
    for (sold_at, stock, room, is_split) in [
        (now().plus_seconds(1), 1_000, ROOM, true),
        (now(), 1_000, ROOM, true),
        (now(), 993, ROOM, true),
        (now().plus_seconds(-1), 1_000, ROOM, false),
        (now(), SPLIT_FROM + 2, ROOM, true),
        (now(), SPLIT_FROM + 1, ROOM, false),
        (now(), 1_000, usize::from(PARTS), false),
    ] {
        let product = Product { sold_at: Some(sold_at), ..lamps(stock) };
        let taken = take_pieces(&offered(&product), None, 2, now(), room).unwrap();
        let moves = moves(&taken);
        assert_eq!(moves.len(), if is_split { 33 } else { 1 }, "{sold_at} {stock} {room}");
        let all: i64 = moves.iter().map(|(_, pieces)| pieces).sum();
        assert_eq!(all, -2, "no piece is lost");
        let rest = stock + moves[0].1;
        assert!(rest >= 0, "the product has no more: {moves:?}");
        assert!(!is_split || rest < i64::from(PARTS), "the parts have the others: {moves:?}");
        let WriteAction::Update(changes) = &taken.writes[0].action else { panic!("{taken:?}") };
        let counted = Change::Set("stockParts", number(PARTS));
        assert_eq!(changes.contains(&counted), is_split);
    }
}

#[test]
fn a_stock_in_no_parts_has_no_supply() {
    for stock_parts in [None, Some(0)] {
        let product = Product { stock_parts, ..lamps(5) };
        assert!(Supply::of(&offered(&product), &moment()).is_none(), "{stock_parts:?}");
    }
}

#[test]
fn an_order_takes_its_pieces_from_its_part_alone() {
    let split = StockedProduct::split(lamps(40), 4);
    let taken =
        take_pieces(&offered(&split.product), Some(&supply(&split, 2)), 10, now(), ROOM).unwrap();
    assert_eq!((moves(&taken), taken.part), (vec![(part_key(2), -10)], Some(2)));
    assert_eq!(taken.writes[0].condition, Some(Condition::AtLeast("pieces", 10)));
}

#[test]
fn an_empty_part_is_filled_from_the_product() {
    let mut split = StockedProduct::split(lamps(4), 4);
    split.product.stock = lamps(100).stock;
    let taken =
        take_pieces(&offered(&split.product), Some(&supply(&split, 1)), 2, now(), ROOM).unwrap();
    assert_eq!(moves(&taken), [(lamp().key().pk, -25), (part_key(1), 23)]);

    split.product.stock = lamps(2).stock;
    let taken =
        take_pieces(&offered(&split.product), Some(&supply(&split, 1)), 2, now(), ROOM).unwrap();
    assert_eq!((moves(&taken), taken.part), (vec![(lamp().key().pk, -2)], Some(1)));
}

#[test]
fn the_last_pieces_are_found_in_other_parts_and_the_product() {
    let mut split = StockedProduct::split(lamps(13), 4);
    for (part, pieces) in [(0, 5), (1, 0), (2, 1), (3, 3)] {
        split.parts[part].pieces = lamps(pieces).stock;
    }
    for (preferred, quantity, expected) in [
        (1, 1, vec![(lamp().key().pk, -1)]),
        (1, 4, vec![(part_key(0), -5 + 1)]),
        (2, 2, vec![(part_key(3), -2)]),
        (1, 9, vec![(part_key(0), -5), (part_key(3), -3), (part_key(2), -1)]),
        (
            1,
            10,
            vec![(part_key(0), -5), (part_key(3), -3), (part_key(2), -1), (lamp().key().pk, -1)],
        ),
    ] {
        let supply = supply(&split, preferred);
        let taken =
            take_pieces(&offered(&split.product), Some(&supply), quantity, now(), ROOM).unwrap();
        assert_eq!(moves(&taken), expected, "{preferred} {quantity}");
    }
    let supply = supply(&split, 1);
    for (quantity, room, shortage) in
        [(11, ROOM, Shortage::OutOfStock), (10, 3, Shortage::Scattered)]
    {
        let taken = take_pieces(&offered(&split.product), Some(&supply), quantity, now(), room);
        assert_eq!(taken.unwrap_err(), shortage);
    }
}

#[test]
fn all_parts_are_read_only_if_the_preferred_one_and_the_product_have_too_few() {
    let split = StockedProduct::split(lamps(9), 4);
    let (one, all) = (split.parts[0].clone(), split.parts.clone());
    let first = Supply { preferred: 0, ..Supply::of(&offered(&split.product), &moment()).unwrap() };
    let read = first.clone().with_one(Some(one));
    assert!(!read.needs_all(&offered(&split.product), 2));
    assert!(read.needs_all(&offered(&split.product), 3));
    assert!(
        first.clone().with_one(None).needs_all(&offered(&split.product), 2),
        "the part is missing"
    );
    assert!(!first.clone().needs_all(&offered(&split.product), 1), "the product has one");
    assert!(!first.with_all(all).needs_all(&offered(&split.product), 100), "there are no more");
}

#[test]
fn orders_spread_over_all_parts_and_a_repeated_decision_has_the_same() {
    let split = StockedProduct::split(lamps(320), 32);
    let of = |seed: u16| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&seed.to_be_bytes());
        Supply::of(&offered(&split.product), &Moment::new(now(), bytes)).unwrap()
    };
    let mut drawn: Vec<u16> = (0..1_000).map(|seed| of(seed).preferred).collect();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn, (0..32).collect::<Vec<u16>>());
    assert_eq!(of(7), of(7));
    assert_eq!(Supply::of(&offered(&lamps(5)), &moment()), None);
}

#[test]
fn a_stored_part_has_no_attribute_of_a_product() {
    let part = &StockedProduct::split(lamps(8), 2).parts[1];
    let stored = serde_json::to_value(part).unwrap();
    let expected = json!({ "productId": lamp().product_id, "part": 1, "pieces": 4, "version": 1 });
    assert_eq!(stored, expected);
}
