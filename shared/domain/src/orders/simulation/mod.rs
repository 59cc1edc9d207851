//! Orders, decisions, time-outs and cancellations in any order, overlapping and repeated: the books
//! balance in every interleaving.

mod sim_event;
mod store;
mod world;

use proptest::prelude::*;

use self::sim_event::SimEvent;
use self::world::Simulation;
use super::CreditOutcome;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_books_balance_in_every_interleaving(
        happenings in prop::collection::vec(happening(), 1..150),
        last_position in 0_u64..=100,
    ) {
        let mut world = Simulation::new(last_position);
        for happening in happenings {
            world.meet(&happening);
            world.balance();
        }
        world.drain();
        world.balance();
        world.balance_at_rest();
        world.repeat_everything();
    }
}

fn happening() -> impl Strategy<Value = SimEvent> {
    let outcome = prop_oneof![
        Just(CreditOutcome::Approved),
        Just(CreditOutcome::Rejected),
        Just(CreditOutcome::TimedOut)
    ];
    prop_oneof![
        4 => (0_usize..2, 1_i64..=3)
            .prop_map(|(customer, quantity)| SimEvent::Order { customer, quantity }),
        2 => any::<usize>().prop_map(SimEvent::Cancel),
        8 => any::<usize>().prop_map(SimEvent::Deliver),
        8 => any::<usize>().prop_map(SimEvent::Commit),
        1 => any::<usize>().prop_map(SimEvent::Crash),
        1 => (any::<usize>(), outcome).prop_map(|(order, it)| SimEvent::Decided(order, it)),
        1 => (1_i64..40).prop_map(SimEvent::Wait),
        1 => Just(SimEvent::Expire),
    ]
}
